import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** One request to a child process. */
interface Order {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What became of the {@link Order} of the same id. */
interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Method = (...args: never[]) => Promise<unknown>;

/** A process of Node's that we can talk to, `enter` being the words before its command. */
export function forkIn(enter: readonly string[], file: URL): ChildProcess {
  const [execPath = process.execPath, ...execArgv] = [...enter, process.execPath];
  return fork(fileURLToPath(file), { execPath, execArgv, stdio: "inherit" });
}

/** What has a process carry out an order and answer. */
export function ordersTo(child: ChildProcess): (method: string, ...args: unknown[]) => Promise<unknown> {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  child.on("message", (answer: Answer) => waiting.get(answer.id)?.(answer));
  child.on("exit", () => {
    for (const [id, settle] of waiting) settle({ id, error: "The process that was asked has ended." });
  });

  return async (method, ...args) => {
    const id = ++last;
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      child.channel?.ref();
      child.send({ id, method, args } satisfies Order, (failure) => failure && resolve({ id, error: failure.message }));
    });
    waiting.delete(id);
    // A process that a test forgot does not keep its test run alive, and ends with it.
    if (waiting.size === 0) child.channel?.unref();
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  };
}

/** In the child: carries out the parent's orders, and ends when the parent is gone. */
export function obey(methods: Readonly<Record<string, Method>>): void {
  process.on("message", async ({ id, method, args }: Order) => {
    const answer: Answer = await methods[method]!(...(args as never[])).then(
      (value) => ({ id, value }),
      (error: unknown) => ({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
    process.send!(answer);
  });
  process.on("disconnect", () => process.exit());
}
