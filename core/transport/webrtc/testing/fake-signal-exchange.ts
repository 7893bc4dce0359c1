import type { SignalExchange, SignalListener } from "../../transport.ts";

/** A side of a test's attempt: what `says` is told, whoever `tells` was given hears. */
export interface FakeSignalExchange {
  readonly says: Pick<SignalExchange, "describe" | "candidate">;
  readonly tells: SignalExchange["hear"];
}

/** Says things to one listener, which may come late. */
export function createFakeSignalExchange(): FakeSignalExchange {
  const { promise: listening, resolve: tells } = Promise.withResolvers<SignalListener>();
  const says: FakeSignalExchange["says"] = {
    describe: ({ type, sdp }) => void listening.then((listener) => listener.description({ type, sdp })),
    candidate: (candidate) => void listening.then((listener) => listener.candidate(candidate)),
  };
  return { says, tells };
}
