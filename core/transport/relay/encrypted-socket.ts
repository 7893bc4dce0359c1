import type { Bytes } from "../../bytes.ts";
import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import { maxRelayMessageBytes } from "../../protocol/limits.ts";
import type { RelaySocket } from "../../relay-access.ts";
import type { Lifetime } from "../lifetime.ts";
import type { Channel } from "../transport.ts";
import { createHeartbeat } from "./heartbeat.ts";
import type { RelayKeys } from "./key-agreement.ts";
import { createDecryption, createEncryption, overhead, type RecordCipher } from "./record-cipher.ts";
import { createRecordReader } from "./record-reader.ts";
import { createRecordWriter } from "./record-writer.ts";
import { Kind, windowSize } from "./segments.ts";

// More than an honest peer has on its way.
const maxUnread = 2 * windowSize;

/** The three channels of a link on one socket, encrypted. */
export interface EncryptedSocket {
  /** The bytes on control and bulk that wait or are certainly in transit. */
  readonly buffered: number;
  lowMark: number;
  send(channel: Channel, message: Bytes): void;
  /** Opens the link for the other side. */
  sendReady(): void;
  /** Watches from now on whether anything arrives. */
  watch(): void;
  /** Measures the round-trip time, in ms. */
  measure(): Promise<number>;
  close(): void;
}

export interface EncryptedSocketOptions {
  readonly socket: RelaySocket;
  readonly ticket: string;
  /** The keys, as soon as both sides have described themselves. */
  readonly keys: Promise<RelayKeys>;
  readonly clock: Clock;
  readonly notify: Lifetime["notify"];
  /** The socket is open. */
  onOpen(): void;
  /** The other side has opened the link. */
  onReady(): void;
  /** The link cannot go on. */
  fail(cause: unknown): void;
  /** The socket has closed, with this code. */
  onClose(code: number): void;
}

/** Encrypts the frames sent on a socket, and decrypts arriving ones. The caller closes it. */
export function createEncryptedSocket(options: EncryptedSocketOptions): EncryptedSocket {
  const { socket, clock, notify, fail } = options;
  let encrypt: RecordCipher;
  let decrypt: RecordCipher;
  const ready = options.keys.then(({ outgoing, incoming }) => {
    encrypt = createEncryption(outgoing);
    decrypt = createDecryption(incoming);
    writer.start();
  });
  ready.catch(fail);
  let unread = 0;
  let isClosed = false;
  let lastSent: Promise<unknown> = ready;
  let lastRead: Promise<unknown> = ready;
  let pingedAt = 0;
  let measuring: PromiseWithResolvers<number> | undefined;
  let heartbeat: ReturnType<typeof createHeartbeat> | undefined;

  const writer = createRecordWriter({ write, drain: () => notify((listener) => listener.drain()) });
  const readRecord = createRecordReader({
    message: (channel, bytes) => notify((listener) => listener.message(channel, bytes), bytes.byteLength),
    sendAck: (data) => writer.signal(Kind.ack, data),
    acknowledged: writer.onAck,
    ready: options.onReady,
    ping() {
      // A peer that sends pings and reads nothing must not fill our memory.
      if (socket.bufferedAmount <= windowSize) writer.signal(Kind.pong);
    },
    pong() {
      measuring?.resolve(clock.now() - pingedAt);
      measuring = undefined;
    },
  });

  /** Encrypts records in parallel, and sends them in order. */
  function write(record: Bytes): void {
    lastSent = Promise.all([encrypt(record), lastSent]).then(([bytes]) => {
      if (!isClosed) socket.send(bytes);
    });
    lastSent.catch(fail);
  }

  /** Decrypts records in parallel, and reads them in order. Nothing is read after an invalid record. */
  function read(data: ArrayBuffer): void {
    unread += data.byteLength;
    const isRecord = data.byteLength > overhead && data.byteLength <= maxRelayMessageBytes;
    if (!isRecord || unread > maxUnread) return void fail(tooMuch());
    const decrypted = ready.then(() => decrypt(new Uint8Array(data)));
    lastRead = Promise.all([decrypted, lastRead]).then(([record]) => {
      unread -= data.byteLength;
      heartbeat?.onRecord();
      if (!isClosed) readRecord(record);
    });
    lastRead.catch(fail);
  }

  function ping(): void {
    pingedAt = clock.now();
    writer.signal(Kind.ping);
  }

  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => {
    socket.send(options.ticket);
    options.onOpen();
  });
  socket.addEventListener("message", ({ data }: { data: ArrayBuffer }) => read(data));
  // A close event follows. Without a listener, `ws` would throw.
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code }: { code: number }) => options.onClose(code));

  return {
    get buffered() {
      return isClosed ? 0 : writer.buffered;
    },
    get lowMark() {
      return writer.lowMark;
    },
    set lowMark(mark) {
      writer.lowMark = mark;
    },
    send(channel, message) {
      if (!isClosed) writer.send(channel, message);
    },
    sendReady: () => writer.signal(Kind.ready),
    watch() {
      heartbeat = createHeartbeat(clock, {
        ping,
        interrupted: (reason) => notify((listener) => listener.interrupted(reason)),
        restored: () => notify((listener) => listener.restored()),
        lost: fail,
      });
    },
    measure() {
      if (!measuring) {
        measuring = Promise.withResolvers();
        ping();
      }
      return measuring.promise;
    },
    close() {
      isClosed = true;
      heartbeat?.stop();
      measuring?.reject(new BonevalueError("disconnected", "The link was closed."));
      socket.close();
    },
  };
}

function tooMuch(): BonevalueError {
  return new BonevalueError("protocol", "The relay has sent malformed data, or more than is allowed.");
}
