import { closeCode } from "../core/protocol/close-code.ts";
import type { SignalKind } from "../core/protocol/messages.ts";
import { type Command, decode } from "./frames.ts";
import { Refusal } from "./refusal.ts";

/** The phase of a socket: before sign-in, or signed in. */
export type Phase = "new" | "online";

/** A first frame. */
export type Proof = Extract<Command, { type: "authenticate" | "acceptInvite" }>;

/** A signal for another peer. */
export type Signal = Extract<Command, { type: SignalKind }>;

/** The action for one frame. */
export type Step =
  | { readonly do: "signIn"; readonly proof: Proof }
  | { readonly do: "relay"; readonly relay: Signal }
  | { readonly do: "answer"; readonly request: Request }
  | { readonly do: "setProfile"; readonly profile: unknown }
  | { readonly do: "pong" }
  | { readonly do: "nothing" }
  | { readonly do: "leave"; readonly back: boolean };

/** A frame that expects an answer. */
export type Request = Extract<Command, { type: "openRelay" }> | AccountRequest;

/** A request about the sender's account. */
export type AccountRequest = Extract<
  Command,
  {
    type:
      | "inviteUser"
      | "requestToken"
      | "claimToken"
      | "removeUser"
      | "changePassword"
      | "listDevices"
      | "forgetDevice";
  }
>;

/** Maximum frame sizes, in bytes. */
export interface FrameSizes {
  readonly firstFrameSize: number;
  readonly frameSize: number;
}

/** The state machine of the protocol: maps a phase and a frame to an action. Throws a refusal that closes the socket. */
export function step(phase: Phase, bytes: Buffer, binary: boolean, sizes: FrameSizes): Step {
  const most = phase === "new" ? sizes.firstFrameSize : sizes.frameSize;
  if (bytes.length > most)
    throw new Refusal("protocol", `The frame is too large: at most ${most} bytes are allowed here.`, {
      close: closeCode.tooLarge,
    });
  const command = decode(bytes, binary);
  return phase === "new" ? firstStep(command) : nextStep(command);
}

function firstStep(command: Command): Step {
  if (command.type === "authenticate" || command.type === "acceptInvite") return { do: "signIn", proof: command };
  throw unexpected("The first frame must be authenticate or acceptInvite.");
}

function nextStep(command: Command): Step {
  switch (command.type) {
    case "authenticate":
    case "acceptInvite":
      throw unexpected("This socket has signed in already: open another.");
    case "peerRequest":
    case "peerResponse":
      return { do: "relay", relay: command };
    case "setProfile":
      return { do: "setProfile", profile: command.data.profile };
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

function unexpected(message: string): Refusal {
  return new Refusal("protocol", message, { close: closeCode.protocol });
}
