import type { SignalExchange, SignalListener } from "../../transport.ts";

/** The signals of one side of a test: the listener of `hear` receives what `send` sends. */
export interface FakeSignalExchange {
  readonly says: Pick<SignalExchange, "describe" | "candidate">;
  readonly tells: SignalExchange["hear"];
}

/** Creates an exchange whose listener may be set later. */
export function createFakeSignalExchange(): FakeSignalExchange {
  const { promise: listening, resolve: tells } = Promise.withResolvers<SignalListener>();
  const says: FakeSignalExchange["says"] = {
    describe: ({ type, sdp }) => void listening.then((listener) => listener.description({ type, sdp })),
    candidate: (candidate) => void listening.then((listener) => listener.candidate(candidate)),
  };
  return { says, tells };
}
