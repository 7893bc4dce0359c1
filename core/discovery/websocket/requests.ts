import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { ToClient } from "../../protocol/messages.ts";
import { type FromServer, serverProtocolError } from "./from-server.ts";
import { setNewest } from "./newest.ts";

const responseTypes = {
  openRelay: "relayResponse",
  inviteUser: "inviteResponse",
  requestToken: "tokenResponse",
  claimToken: "claimResponse",
  removeUser: "removeResponse",
  changePassword: "passwordResponse",
  listDevices: "deviceList",
  forgetDevice: "forgetResponse",
} as const;

// Longer than a server takes, and than the watchdog waits for a dead one.
const requestTimeoutMs = 30_000;

/** The types of messages that the server answers. */
export type RequestType = keyof typeof responseTypes;

/** The data of the answer to a request of `Type`. */
export type ResponseTo<Type extends RequestType> = ToClient[(typeof responseTypes)[Type]];

/** The pending requests of one socket. Ids are used once. */
export interface Requests {
  /** Starts a request. `response` rejects with the server's error, or with `timeout` after 30 s. */
  create<Type extends RequestType>(type: Type): { readonly id: number; readonly response: Promise<ResponseTo<Type>> };
  /** Returns the id for a relay, and calls `refused` when the server refuses it. */
  trackRelay(refused: () => void): number;
  /** Ignores an unknown id. Throws `protocol` when the type does not match the request. */
  resolve(id: number, message: FromServer): void;
  reject(id: number, error: BonevalueError): void;
  /** Rejects every pending request with `reason`. */
  end(reason: BonevalueError): void;
}

interface Pending {
  readonly responseType: string;
  undoTimeout(): void;
  resolve(data: any): void;
  reject(error: BonevalueError): void;
}

/** Creates an empty table of requests. */
export function createRequests(clock: Clock): Requests {
  const pending = new Map<number, Pending>();
  const relays = new Map<number, () => void>();
  let lastId = 0;

  return {
    create(type) {
      const id = ++lastId;
      const response = new Promise<any>((resolve, reject) => {
        const undoTimeout = clock.after(requestTimeoutMs, () => remove(id)?.reject(unanswered(type)));
        pending.set(id, { responseType: responseTypes[type], undoTimeout, resolve, reject });
      });
      return { id, response };
    },
    trackRelay(refused) {
      const id = ++lastId;
      // The server answers a relay only when it refuses it, so most of these ids never come back.
      setNewest(relays, id, refused);
      return id;
    },
    resolve(id, { type, data }) {
      const expected = pending.get(id)?.responseType ?? type;
      if (expected !== type) throw serverProtocolError(`"${type}" instead of "${expected}"`);
      remove(id)?.resolve(data);
    },
    reject(id, error) {
      remove(id)?.reject(error);
      relays.get(id)?.();
      relays.delete(id);
    },
    end(reason) {
      for (const id of pending.keys()) remove(id)?.reject(reason);
    },
  };

  function remove(id: number): Pending | undefined {
    const found = pending.get(id);
    pending.delete(id);
    found?.undoTimeout();
    return found;
  }
}

function unanswered(type: string): BonevalueError {
  return new BonevalueError(
    "timeout",
    `The discovery server has not answered "${type}" in 30 s. Check the lists for whether it succeeded.`,
  );
}
