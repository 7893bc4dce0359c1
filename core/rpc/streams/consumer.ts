import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BonevalueError } from "../../errors.ts";
import { createIncomingCredit, type Grant, type IncomingCredit, type WindowBounds } from "../../wire/credit.ts";
import { protocolError } from "../../wire/protocol-error.ts";
import type { ContractCode } from "../module.ts";
import { check } from "../validate.ts";
import { thrownError } from "../wire-errors.ts";
import { createIncomingStream, type IncomingStream } from "./incoming-stream.ts";

/** A stream that we receive. */
export interface Consumer {
  readonly stream: IncomingStream<any>;
  /** Whether somebody reads it, has done so, or has said that he will. */
  readonly isClaimed: boolean;
  /** Somebody will read it. */
  claim(): void;
  /** An item that took `bytes` on the wire. Throws `protocol` where it had no credit. */
  receive(item: unknown, bytes: number): void;
  /** The producer's end, behind all of its items. */
  finish(error?: BonevalueError): void;
  /** Ends it for its reader at once, and for the producer. */
  abort(reason: BonevalueError): void;
  /** From now on the reader gets what `schema` makes of each item. */
  expect(schema: StandardSchemaV1): void;
}

/** What a consumer needs. */
export interface ConsumerOptions {
  /** How many bytes its items have together, where it is a file: then they are bytes. */
  readonly size: number | undefined;
  /** With what items fail that do not fit their schema. */
  readonly code: ContractCode;
  /** Asked when the first credit is due. */
  window(): WindowBounds;
  now(): number;
  /** Asked before an item is kept until it is read, in bytes; `release` gives them back. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  grant(grant: Grant): void;
  stop(code: string): void;
  /** Its reader has all of it, or an error, or wants no more. */
  over(): void;
}

// A reader that is slow to need more credit still tells that it reads: the caller's deadline waits for it.
const longestSilence = 1_000;

const consumers = new WeakMap<object, Consumer>();

/** The consumer behind a stream that arrived. */
export function consumerOf(stream: object): Consumer | undefined {
  return consumers.get(stream);
}

/** Hands what arrives to a stream's reader. Grants its first credit when it is first read. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { code, now, reserve, release } = options;
  let controller!: ReadableStreamDefaultController<unknown>;
  let credit: IncomingCredit | undefined;
  let missing = options.size;
  let schema: StandardSchemaV1 | undefined;
  let taken = false;
  let queue: { readonly item: unknown; readonly bytes: number }[] = [];
  let handing = false;
  // Ends the `pull` that waits for an item.
  let pulled: ((handed: void | Promise<void>) => void) | undefined;
  let ending: { readonly error: BonevalueError | undefined } | undefined;
  let isOver = false;
  let read = 0;
  let said: Grant = { read: 0, limit: 0 };
  let saidAt = 0;

  const stream = createIncomingStream<unknown>({
    start(made) {
      controller = made;
    },
    pull() {
      begin();
      if (queue.length > 0) return handOver();
      return new Promise<void>((resolve) => {
        pulled = resolve;
      });
    },
    cancel(reason) {
      options.stop(reason instanceof BonevalueError ? reason.code : "cancelled");
      leave();
    },
  });

  function begin(): void {
    if (credit) return;
    const window = options.window();
    credit = createIncomingCredit(window);
    say({ read, limit: window.min });
  }

  function say(grant: Grant): void {
    said = grant;
    saidAt = now();
    options.grant(grant);
  }

  /** One at a time: the stream asks for no more before this is done. */
  function handOver(): void | Promise<void> {
    const next = queue.shift();
    if (!next) return;
    handing = true;
    const accepted = (item: unknown) => give(item, next.bytes);
    const refused = (error: unknown) => refuse(error, next.bytes);
    return check(schema, next.item, code, accepted, refused);
  }

  function give(item: unknown, bytes: number): void {
    handing = false;
    release(bytes);
    if (isOver) return;
    controller.enqueue(item);
    read += bytes;
    acknowledge(credit!.consume(bytes, now()));
    if (queue.length === 0 && ending) conclude(ending.error);
  }

  function refuse(error: unknown, bytes: number): void {
    handing = false;
    release(bytes);
    abort(thrownError(error));
  }

  function acknowledge(due: Grant | undefined): void {
    if (due) say(due);
    else if (now() - saidAt >= longestSilence) say({ read, limit: said.limit });
  }

  function conclude(error: BonevalueError | undefined): void {
    if (!error && read > said.read) say({ read, limit: said.limit });
    leave();
    if (error) controller.error(error);
    else controller.close();
  }

  function abort(reason: BonevalueError): void {
    if (isOver) return;
    options.stop(reason.code);
    conclude(reason);
  }

  function leave(): void {
    isOver = true;
    for (const { bytes } of queue) release(bytes);
    queue = [];
    pulled?.();
    options.over();
  }

  const consumer: Consumer = {
    stream,
    get isClaimed() {
      return taken || stream.locked || credit !== undefined;
    },
    claim() {
      taken = true;
    },
    receive(item, bytes) {
      if (isOver) return;
      if (!credit) throw protocolError("an item that nobody asked for");
      credit.receive(bytes, now());
      if (missing !== undefined) missing -= lengthWithin(item, missing);
      if (!reserve(bytes)) return abort(tooMuch());
      queue.push({ item, bytes });
      const end = pulled;
      pulled = undefined;
      end?.(handOver());
    },
    finish(error) {
      if (isOver) return;
      if (missing && !error) throw protocolError(`a file that ends ${missing} bytes early`);
      ending = { error };
      if (queue.length === 0 && !handing) conclude(error);
    },
    abort,
    expect(items) {
      schema = items;
    },
  };
  consumers.set(stream, consumer);
  return consumer;
}

function lengthWithin(item: unknown, missing: number): number {
  if (item instanceof Uint8Array && item.length <= missing) return item.length;
  throw protocolError("something in a file that does not belong there");
}

function tooMuch(): BonevalueError {
  return new BonevalueError(
    "too-large",
    "More of the peer's items wait to be read than may: read them faster, or let it send smaller ones.",
  );
}
