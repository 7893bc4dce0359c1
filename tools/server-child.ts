import type { BonevalueServer, ServerOptions } from "../reference-server/server.ts";

/** What the parent can ask of the server's process. */
export type Method = "start" | "add" | "remove" | "trust" | "invite" | "stop";
/** One request of the parent. */
export interface Order<Name extends string = string> {
  readonly id: number;
  readonly method: Name;
  readonly args: readonly unknown[];
}
/** What became of the {@link Order} of the same id. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

// A test's output has no room for what a server does every day.
const quiet = { ...console, debug() {}, info() {} };

let server: BonevalueServer | undefined;

const methods: Record<Method, (...args: never[]) => Promise<unknown>> = {
  async start(options: ServerOptions) {
    const { createServer } = await import("../reference-server/server.ts");
    server = await createServer({ port: 0, store: ":memory:", log: quiet, ...options });
    return { url: server.url };
  },
  add: (username: string, password: string) => server!.accounts.add(username, password),
  remove: (username: string) => server!.accounts.remove(username),
  trust: (a: string, aliasOfB: string, b: string, aliasOfA: string) => server!.accounts.trust(a, aliasOfB, b, aliasOfA),
  async invite(email: string) {
    const { link, expires } = await server!.accounts.invite(email);
    return { link, expires: expires.toISOString() };
  },
  stop: async () => server?.close(),
};

process.on("message", async ({ id, method, args }: Order<Method>) => {
  const answer: Answer = await methods[method](...(args as never[])).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
  process.send!(answer);
});
// The parent died without a word.
process.on("disconnect", () => process.exit());
