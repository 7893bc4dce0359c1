import { parseArgs } from "node:util";

/** A flag of the command line, which an environment variable can give as well. */
export interface Flag {
  readonly help: string;
  /** What stands for the value in the help; without one the flag is true or false. */
  readonly value?: string;
  /** May be given several times; in the environment, separated by spaces. */
  readonly multiple?: true;
}

/** Flags by name; a value's type follows from its flag. */
export type Flags<Values> = { readonly [Name in keyof Values]-?: Flag };

/** Reads flags from the command line and, where they are missing there, from the environment. Throws on unknown flags. */
export function readFlags<Values>(
  flags: Flags<Values>,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { values: Values; positionals: string[] } {
  const known = Object.entries<Flag>(flags);
  const options = Object.fromEntries(known.map(([name, flag]) => [name, optionOf(flag)]));
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const given: Record<string, unknown> = { ...values };
  for (const [name, flag] of known) given[name] ??= fromEnvironment(flag, env[variableOf(name)]);
  return { values: given as Values, positionals };
}

function optionOf({ value, multiple }: Flag) {
  return { type: value === undefined ? "boolean" : "string", multiple: multiple === true } as const;
}

function fromEnvironment({ value, multiple }: Flag, text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  if (value === undefined) return text !== "0" && text !== "false";
  return multiple ? text.split(/\s+/).filter(Boolean) : text;
}

/** `ice-secret` → `BONEVALUE_ICE_SECRET` */
function variableOf(name: string): string {
  return `BONEVALUE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** One paragraph for each flag. */
export function explain<Values>(flags: Flags<Values>): string {
  return Object.entries<Flag>(flags)
    .map(([name, { value, help }]) => {
      const heading = `  --${name}${value ? ` ${value}` : ""}`;
      return `${heading.padEnd(34)}${variableOf(name)}\n${wrap(help, 6, 88)}`;
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
