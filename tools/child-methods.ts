import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A call of a method in a child process. */
interface MethodCall {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** The result of the {@link MethodCall} with the same id. */
interface MethodResult {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Method = (...args: never[]) => Promise<unknown>;

/** Forks a Node process with an IPC channel. `enter` is a command prefix. */
export function forkIn(enter: readonly string[], file: URL): ChildProcess {
  const [execPath = process.execPath, ...execArgv] = [...enter, process.execPath];
  return fork(fileURLToPath(file), { execPath, execArgv, stdio: "inherit" });
}

/** Returns a function that calls a method of the child process and resolves to its result. */
export function createCaller(child: ChildProcess): (method: string, ...args: unknown[]) => Promise<unknown> {
  const waiting = new Map<number, (answer: MethodResult) => void>();
  let last = 0;
  child.on("message", (answer: MethodResult) => waiting.get(answer.id)?.(answer));
  child.on("exit", () => {
    for (const [id, settle] of waiting) settle({ id, error: "The child process has ended." });
  });

  return async (method, ...args) => {
    const id = ++last;
    const answer = await new Promise<MethodResult>((resolve) => {
      waiting.set(id, resolve);
      child.channel?.ref();
      child.send(
        { id, method, args } satisfies MethodCall,
        (failure) => failure && resolve({ id, error: failure.message }),
      );
    });
    waiting.delete(id);
    // An idle child process does not keep the test run alive.
    if (waiting.size === 0) child.channel?.unref();
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  };
}

/** In the child: runs methods for the parent, and exits when the parent disconnects. */
export function exposeMethods(methods: Readonly<Record<string, Method>>): void {
  process.on("message", async ({ id, method, args }: MethodCall) => {
    const answer: MethodResult = await methods[method]!(...(args as never[])).then(
      (value) => ({ id, value }),
      (error: unknown) => ({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
    process.send!(answer);
  });
  process.on("disconnect", () => process.exit());
}
