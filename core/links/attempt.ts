import type { Clock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import { type LazyPart, notLoaded } from "../lazy-part.ts";
import type { OpenRelay } from "../relay-access.ts";
import type { Link, SignalExchange, Transport } from "../transport/transport.ts";
import type { Role } from "./dial-state.ts";
import { createSignaling, type Signal } from "./signaling.ts";

/** One attempt to open a link, made by this side or by the peer, and the link that it opens. */
export interface Attempt {
  readonly role: Role;
  /** Whether the peer has described itself. */
  readonly answered: boolean;
  /** Whether there is a link, open or not. A peer's attempt has none before it is accepted. */
  readonly hasLink: boolean;
  readonly isOpen: boolean;
  /** Whether nothing arrives on the open link at present. */
  isSilent: boolean;
  /** Reads a signal of this attempt. */
  receive(signal: Signal): void;
  /** Sends at once the signals that may have been lost. */
  resend(): void;
  /** Opens the link. */
  open(): void;
  /** Runs `task` after `delay` ms, unless the link opens or the attempt stops before. Replaces the last deadline. */
  setDeadline(delay: number, task: () => void): void;
  /** Why the link is not open yet, and what to do, if that is known. */
  trouble(): string | undefined;
  /** Stops its signals, its deadline and its callbacks. The link stays. */
  stop(): void;
  /** Closes the link, if there is one. */
  closeLink(reason: BonevalueError): void;
}

/** The environment of an attempt. */
export interface AttemptOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The lazily loaded code of open links. It is loaded during the dial, before `opened` is called. */
  readonly connectionPart: LazyPart;
  readonly peer: string;
  readonly role: Role;
  readonly number: number;
  /** Sends a signal; may lose it. */
  send(signal: Signal): void;
  iceServers(): readonly RTCIceServer[];
  /** Undefined if discovery offers no relay at this moment. */
  openRelay(): OpenRelay | undefined;
  /** The link is open. */
  opened(link: Link): void;
  /** The link could not be opened, or has ended after `opened`. */
  closed(reason: BonevalueError | undefined): void;
}

/** Creates an attempt without a link. Its owner ends it with `stop`. */
export function createAttempt(options: AttemptOptions): Attempt {
  const { transport, clock, connectionPart, peer, role, number } = options;
  const signaling = createSignaling({ ...options, attempt: number });
  let link: Link | undefined;
  let undoDeadline = () => {};
  let isOpen = false;
  let isStopped = false;

  function onReady(opened: Link): void {
    if (isStopped) return;
    isOpen = true;
    undoDeadline();
    options.opened(opened);
    // Last: the holder of the link learns of its end before the dialer does.
    opened.closed.then(onClosed);
  }

  function onClosed(reason: BonevalueError | undefined): void {
    if (!isStopped) options.closed(reason);
  }

  function whenReady(opening: Link): Promise<unknown> {
    if (connectionPart.loaded) return opening.opened;
    const loading = connectionPart.load();
    loading.catch((error) => opening.close(error));
    return Promise.all([opening.opened, loading]);
  }

  return {
    role,
    isSilent: false,
    get answered() {
      return signaling.answered;
    },
    get hasLink() {
      return link !== undefined;
    },
    get isOpen() {
      return isOpen;
    },
    receive: signaling.receive,
    resend: signaling.resend,
    open() {
      const opening = openLink(transport, peer, role, signaling.exchange);
      link = opening;
      whenReady(opening).then(
        () => onReady(opening),
        () => {},
      );
      opening.closed.then((reason) => isOpen || onClosed(reason));
    },
    setDeadline(delay, task) {
      undoDeadline();
      undoDeadline = clock.after(delay, task);
    },
    trouble: () => link?.trouble?.() ?? (connectionPart.loaded ? undefined : notLoaded),
    stop() {
      isStopped = true;
      undoDeadline();
      signaling.stop();
    },
    closeLink: (reason) => link?.close(reason),
  };
}

/** Opens a link. If an app's own transport throws, returns a link that has failed with `link-failed`. */
function openLink(transport: Transport, peer: string, role: Role, exchange: SignalExchange): Link {
  try {
    return transport.open(peer, role, exchange);
  } catch (cause) {
    const reason = new BonevalueError("link-failed", "The transport failed to open a link: see the cause.", {
      cause,
    });
    const ignore = () => {};
    return {
      opened: Promise.reject(reason),
      closed: Promise.resolve(reason),
      maxMessage: 0,
      buffered: 0,
      lowMark: 0,
      listen: ignore,
      send: ignore,
      close: ignore,
    };
  }
}
