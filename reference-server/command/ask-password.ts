import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks without showing what is typed, or reads the first line of standard input where that is no terminal. */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine(process.stdin);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // From here on the terminal itself shows nothing either.
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(question);
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  try {
    for await (const line of createInterface({ input })) return line.replace(/^\uFEFF/, "");
    return "";
  } finally {
    // Whoever writes there may never end, and would keep this process alive.
    input.destroy();
  }
}
