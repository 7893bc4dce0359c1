import { BonevalueError } from "../../errors.ts";
import type { Connection } from "../../links/connection.ts";
import type { Pool } from "../../links/pool.ts";
import type { CallContext, CallSender } from "../call-peer.ts";

/** The parts of a context that tests choose. */
export interface CallContextOptions extends Pick<CallContext, "deadlines" | "limits" | "now"> {
  /** Returns why the link is over, if it is. */
  ended?(): BonevalueError | undefined;
}

/** Creates the context of calls that all use one connection, without a pool. */
export function createCallContext(
  connection: Partial<Connection<CallSender>>,
  { ended = () => undefined, ...options }: CallContextOptions,
): CallContext {
  const whenOpen: Pool<CallSender>["whenOpen"] = (_peer, { begin, fail }) => {
    const reason = ended();
    if (reason) fail(reason);
    else begin(connection as Connection<CallSender>);
    return () => {};
  };
  return {
    ...options,
    pool: { whenOpen } as Pool<CallSender>,
    keepOpenMs: () => 0,
    refusal: () => undefined,
    noPeersError: () => new BonevalueError("no-peers", "The query of the test matches no peer."),
  };
}
