import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks for a password without echo, or reads the first line of standard input if that is not a terminal. */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine(process.stdin);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // Puts the terminal into raw mode, so that it does not echo either.
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
    // A writer that never ends its side would keep this process alive.
    input.destroy();
  }
}
