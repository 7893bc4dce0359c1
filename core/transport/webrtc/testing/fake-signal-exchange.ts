import type { SignalExchange, SignalListener } from "../../transport.ts";

/** The signals of one side of a test: the listener of `listen` receives what `send` sends. */
export interface FakeSignalExchange {
  readonly outgoing: Pick<SignalExchange, "describe" | "candidate">;
  readonly listen: SignalExchange["listen"];
}

/** Creates an exchange whose listener may be set later. */
export function createFakeSignalExchange(): FakeSignalExchange {
  const { promise: listening, resolve: listen } = Promise.withResolvers<SignalListener>();
  const outgoing: FakeSignalExchange["outgoing"] = {
    describe: ({ type, sdp }) => void listening.then((listener) => listener.description({ type, sdp })),
    candidate: (candidate) => void listening.then((listener) => listener.candidate(candidate)),
  };
  return { outgoing, listen };
}
