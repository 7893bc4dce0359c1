import { closeCode } from "../core/protocol/close-code.ts";
import type { SignalKind } from "../core/protocol/messages.ts";
import { type Command, decode } from "./frames.ts";
import { Refusal } from "./refusal.ts";

/** Where one socket is: it has to prove whose it is, or it may speak. */
export type Phase = "new" | "online";

/** A first frame. */
export type Proof = Extract<Command, { type: "authenticate" | "acceptInvite" }>;

/** A signal for another peer. */
export type Relay = Extract<Command, { type: SignalKind }>;

/** What is to be done about one frame. */
export type Step =
  | { readonly do: "signIn"; readonly proof: Proof }
  | { readonly do: "relay"; readonly relay: Relay }
  | { readonly do: "answer"; readonly request: Request }
  | { readonly do: "pong" }
  | { readonly do: "nothing" }
  | { readonly do: "leave"; readonly back: boolean };

/** A frame that wants an answer. */
export type Request = Extract<
  Command,
  { type: "inviteUser" | "requestToken" | "claimToken" | "removeUser" | "changePassword" }
>;

/** What may come in, in bytes. */
export interface FrameSizes {
  readonly firstFrameSize: number;
  readonly frameSize: number;
}

/** The protocol's state machine: the phase and a frame say what to do. Throws a refusal that closes the socket. */
export function step(phase: Phase, bytes: Buffer, binary: boolean, sizes: FrameSizes): Step {
  const most = phase === "new" ? sizes.firstFrameSize : sizes.frameSize;
  if (bytes.length > most)
    throw new Refusal("protocol", `A frame here has at most ${most} bytes.`, { close: closeCode.tooLarge });
  const command = decode(bytes, binary);
  return phase === "new" ? atFirst(command) : later(command);
}

function atFirst(command: Command): Step {
  if (command.type === "authenticate" || command.type === "acceptInvite") return { do: "signIn", proof: command };
  throw outOfPlace("The first frame is authenticate or acceptInvite.");
}

function later(command: Command): Step {
  switch (command.type) {
    case "authenticate":
    case "acceptInvite":
      throw outOfPlace("A socket signs in once: open another.");
    case "peerRequest":
    case "peerResponse":
      return { do: "relay", relay: command };
    case "ping":
      return { do: "pong" };
    case "pong":
      return { do: "nothing" };
    case "bye":
      return { do: "leave", back: command.data.back === true };
    default:
      return { do: "answer", request: command };
  }
}

function outOfPlace(message: string): Refusal {
  return new Refusal("protocol", message, { close: closeCode.protocol });
}
