import { createRequire } from "node:module";
import { addUser, invite } from "./administer.ts";
import { explain, readFlags } from "./flags.ts";
import { serve, serveFlags, storeFlags } from "./serve.ts";

const help = `bonevalue-server: a discovery server for pages that talk straight to each other.

  bonevalue-server serve           Run the server until it is told to stop (SIGTERM or Ctrl-C).
  bonevalue-server user add NAME   Make an account. The password is asked for, or read from standard input.
  bonevalue-server invite EMAIL    Print a one-use link with which somebody makes an account.

Every flag can be given as the environment variable beside it instead: secrets belong there, where
other users of the machine do not see them. All commands take --help, --store and --url; the others
are for serve. With --version, the version is printed.

${explain(serveFlags)}
`;

/** Runs one command; resolves to the exit code. What went wrong is said on standard error. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  try {
    return await dispatch(args, env);
  } catch (error) {
    console.error(`bonevalue-server: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function dispatch(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(help);
    return 0;
  }
  if (args.includes("--version")) {
    // By the package's own name: what is built lies deeper than the source.
    console.log(createRequire(import.meta.url)("bonevalue-server/package.json").version);
    return 0;
  }
  if (args[0] === "serve") {
    const { values, positionals } = readFlags(serveFlags, args.slice(1), env);
    if (positionals.length === 0) return serve(values);
  } else {
    const { values, positionals } = readFlags(storeFlags, args, env);
    const [first, second, name] = positionals;
    if (first === "user" && second === "add" && name !== undefined && positionals.length === 3)
      return addUser(name, values);
    if (first === "invite" && second !== undefined && positionals.length === 2) return invite(second, values);
  }
  console.error(help);
  if (args.length > 0) console.error(`bonevalue-server: "${args.join(" ")}" is none of the commands above.`);
  return 2;
}
