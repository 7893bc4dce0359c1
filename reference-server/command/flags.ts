import { parseArgs } from "node:util";

/** A command-line flag that can also be set by an environment variable. */
export interface Flag {
  readonly help: string;
  /** The placeholder of the value in the help; without one, the flag is a boolean. */
  readonly value?: string;
  /** May be repeated; values in the environment variable are separated by spaces. */
  readonly multiple?: true;
}

/** Flags by name. */
export type Flags<Values> = { readonly [Name in keyof Values]-?: Flag };

/** Reads flags from the command line, or else from the environment. Throws on unknown flags. */
export function readFlags<Values>(
  flags: Flags<Values>,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { values: Values; positionals: string[] } {
  const known = Object.entries<Flag>(flags);
  const options = Object.fromEntries(known.map(([name, flag]) => [name, toParseOption(flag)]));
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const given: Record<string, unknown> = { ...values };
  for (const [name, flag] of known) given[name] ??= fromEnvironment(flag, env[variableName(name)]);
  return { values: given as Values, positionals };
}

function toParseOption({ value, multiple }: Flag) {
  return { type: value === undefined ? "boolean" : "string", multiple: multiple === true } as const;
}

function fromEnvironment({ value, multiple }: Flag, text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  if (value === undefined) return text !== "0" && text !== "false";
  return multiple ? text.split(/\s+/).filter(Boolean) : text;
}

/** `ice-secret` → `BONEVALUE_ICE_SECRET` */
function variableName(name: string): string {
  return `BONEVALUE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Returns the help text: one paragraph for each flag. */
export function describeFlags<Values>(flags: Flags<Values>): string {
  return Object.entries<Flag>(flags)
    .map(([name, { value, help }]) => {
      const heading = `  --${name}${value ? ` ${value}` : ""}`;
      return `${heading.padEnd(34)}${variableName(name)}\n${wrap(help, 6, 88)}`;
    })
    .join("\n\n");
}

function wrap(text: string, indent: number, width: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line.length + word.length + 1 > width - indent) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}
