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

// Longer than a password may be, so that a line which never ends is not read any further.
const maxLineLength = 4_096;

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  input.setEncoding("utf8");
  let text = "";
  // Leaving the loop destroys the stream: a writer that never ends its side would keep this process alive.
  for await (const chunk of input) {
    text += chunk;
    if (/[\r\n]/.test(text) || text.length > maxLineLength) break;
  }
  return (text.split(/[\r\n]/, 1)[0] ?? "").replace(/^\uFEFF/, "");
}
