import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { ToClient } from "../../protocol/messages.ts";
import { type FromServer, serverProtocolError } from "./from-server.ts";

const answerOf = {
  inviteUser: "inviteResponse",
  requestToken: "tokenResponse",
  claimToken: "claimResponse",
  removeUser: "removeResponse",
  changePassword: "passwordResponse",
} as const;

// A server answers or goes silent; this is for one that does neither.
const patience = 30_000;

// Only a refusal answers a relay, so that most of these ids are never heard of again.
const relaysRemembered = 256;

/** The messages that want an answer. */
export type RequestType = keyof typeof answerOf;

/** What answers a request of `Type`. */
export type AnswerTo<Type extends RequestType> = ToClient[(typeof answerOf)[Type]];

/** Who waits for what on one socket. Ids are used once. */
export interface Requests {
  /** A new request: its id, and its answer to come, which rejects with the server's error or `timeout`. */
  ask<Type extends RequestType>(type: Type): { readonly id: number; readonly answer: Promise<AnswerTo<Type>> };
  /** The id of a message that only a refusal answers. */
  relay(refused: () => void): number;
  /** An answer has come; one not awaited is ignored. Throws `protocol` when it is none to what was asked. */
  answer(id: number, message: FromServer): void;
  /** The server refuses. */
  refuse(id: number, error: BonevalueError): void;
  /** Nothing more will come: all that waits rejects with `reason`. */
  end(reason: BonevalueError): void;
}

interface Pending {
  readonly answer: string;
  stopWaiting(): void;
  resolve(data: any): void;
  reject(error: BonevalueError): void;
}

/** With no request yet. `clock` ends those that wait for 30 s. */
export function createRequests(clock: Clock): Requests {
  const pending = new Map<number, Pending>();
  const relays = new Map<number, () => void>();
  let lastId = 0;

  return {
    ask(type) {
      const id = ++lastId;
      const answer = new Promise<any>((resolve, reject) => {
        const stopWaiting = clock.after(patience, () => settle(id)?.reject(unanswered(type)));
        pending.set(id, { answer: answerOf[type], stopWaiting, resolve, reject });
      });
      return { id, answer };
    },
    relay(refused) {
      const id = ++lastId;
      relays.set(id, refused);
      if (relays.size > relaysRemembered) relays.delete(relays.keys().next().value as number);
      return id;
    },
    answer(id, { type, data }) {
      const expected = pending.get(id)?.answer ?? type;
      if (expected !== type) throw serverProtocolError(`"${type}" for "${expected}"`);
      settle(id)?.resolve(data);
    },
    refuse(id, error) {
      settle(id)?.reject(error);
      relays.get(id)?.();
      relays.delete(id);
    },
    end(reason) {
      for (const id of [...pending.keys()]) settle(id)?.reject(reason);
      relays.clear();
    },
  };

  function settle(id: number): Pending | undefined {
    const found = pending.get(id);
    pending.delete(id);
    found?.stopWaiting();
    return found;
  }
}

function unanswered(type: string): BonevalueError {
  return new BonevalueError(
    "timeout",
    `The discovery server has not answered "${type}" in ${patience / 1000} s. The lists tell whether it was done.`,
  );
}
