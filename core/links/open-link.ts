import { BonevalueError } from "../errors.ts";
import type { Link, Transport } from "../transport/transport.ts";

/** Opens a link. Where an app's own transport throws all the same, it is one that has failed with `link-failed`. */
export function openLink(transport: Transport, ...attempt: Parameters<Transport["open"]>): Link {
  try {
    return transport.open(...attempt);
  } catch (cause) {
    return failedLink(
      new BonevalueError("link-failed", "The transport threw as it opened a link: see the cause.", { cause }),
    );
  }
}

function failedLink(reason: BonevalueError): Link {
  const nothing = () => {};
  return {
    opened: Promise.reject(reason),
    closed: Promise.resolve(reason),
    maxMessage: 0,
    buffered: 0,
    lowMark: 0,
    listen: nothing,
    send: nothing,
    close: nothing,
  };
}
