import { createHmac } from "node:crypto";
import type { IceServer, ToClient } from "../core/protocol/messages.ts";

/** A STUN or TURN server. With `secret`, the server mints credentials for each peer (coturn's REST API scheme). */
export interface IceOption {
  /** One or more `stun:`, `turn:` or `turns:` URLs, as in `RTCIceServer`. */
  readonly urls: string | readonly string[];
  /** The secret that this server shares with the TURN server (`static-auth-secret` of coturn). Clients never receive it. */
  readonly secret?: string | undefined;
  /** The user name of a TURN server with fixed credentials. Ignored with `secret`. */
  readonly username?: string | undefined;
  /** The password of a TURN server with fixed credentials. Every client receives it. Ignored with `secret`. */
  readonly credential?: string | undefined;
}

/** Returns the `iceServers` frame for peer `id` at time `now`. Minted credentials are valid for `age` ms. */
export function iceServersFor(
  options: readonly IceOption[],
  id: string,
  now: number,
  age: number,
): ToClient["iceServers"] {
  const expires = now + age;
  const servers = options.map((option) => serverOf(option, `${Math.floor(expires / 1_000)}:${id}`));
  const minted = options.some(({ secret }) => secret !== undefined);
  return { servers, ...(minted && { expires: new Date(expires).toISOString() }) };
}

function serverOf({ urls, secret, username, credential }: IceOption, mintedName: string): IceServer {
  const where = { urls: typeof urls === "string" ? urls : [...urls] };
  if (secret === undefined) return { ...where, ...(username !== undefined && { username, credential }) };
  const minted = createHmac("sha1", secret).update(mintedName).digest("base64");
  return { ...where, username: mintedName, credential: minted };
}
