import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BonevalueError } from "../../errors.ts";
import { createIncomingCredit, type Grant, type IncomingCredit, type WindowBounds } from "../../wire/credit.ts";
import { protocolError } from "../../wire/protocol-error.ts";
import type { ContractCode } from "../module.ts";
import { validateThen } from "../validate.ts";
import { thrownError } from "../wire-errors.ts";
import { createIncomingStream, type IncomingStream } from "./incoming-stream.ts";
import type { OnRead } from "./remote-file.ts";

/** A stream that we receive. */
export interface Consumer {
  readonly stream: IncomingStream<any>;
  /** Whether it is being read, was read, or is claimed. */
  readonly isClaimed: boolean;
  /** Claims it: it will be read. `onRead` is called each time the producer gets an acknowledgement. */
  claim(onRead: OnRead): void;
  /** Adds an item that took `bytes` on the wire. Throws `protocol` if it had no credit. */
  receive(item: unknown, bytes: number): void;
  /** Ends it after the items that have arrived: with success, or with the producer's error. */
  finish(error?: BonevalueError): void;
  /** Ends it now, for its reader and for the producer. */
  abort(reason: BonevalueError): void;
  /** Validates each item from now on. The reader gets the output of `schema`. */
  setSchema(schema: StandardSchemaV1): void;
}

/** The environment of a consumer. */
export interface ConsumerOptions {
  /** The size of a file, whose items must be bytes; `undefined` for other streams. */
  readonly size: number | undefined;
  /** The code of the error for items that do not fit their schema. */
  readonly code: ContractCode;
  /** Called before the first credit is granted. */
  window(): WindowBounds;
  now(): number;
  /** Called before an item waits to be read. Returns `false` if its bytes exceed the peer's budget. */
  reserve(bytes: number): boolean;
  /** Returns the bytes of an item to the budget. */
  release(bytes: number): void;
  grant(grant: Grant): void;
  stop(code: string): void;
  /** Called when the reader has everything, has got an error, or has cancelled. */
  onOver(): void;
}

// A slow reader that needs no more credit still acknowledges the items that it has read: the caller's deadline waits for it.
const acknowledgeInterval = 1_000;

const consumers = new WeakMap<object, Consumer>();

/** Returns the consumer of a stream that arrived. */
export function consumerOf(stream: object): Consumer | undefined {
  return consumers.get(stream);
}

/** Passes arriving items to a stream's reader. Grants the first credit when the stream is first read. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { code, now, reserve, release } = options;
  let controller!: ReadableStreamDefaultController<unknown>;
  let credit: IncomingCredit | undefined;
  let missingBytes = options.size;
  let schema: StandardSchemaV1 | undefined;
  let isClaimed = false;
  let queue: { readonly item: unknown; readonly bytes: number }[] = [];
  let isValidating = false;
  // Resolves the `pull` that waits for an item.
  let resolvePull: ((delivered: void | Promise<void>) => void) | undefined;
  let ending: { readonly error: BonevalueError | undefined } | undefined;
  let isOver = false;
  let read = 0;
  // As the app counts them, without what the frames add.
  let readBytes = 0;
  let onRead: OnRead;
  let lastGrant: Grant = { read: 0, limit: 0 };
  let grantedAt = 0;

  const stream = createIncomingStream<unknown>({
    start(created) {
      controller = created;
    },
    pull() {
      grantFirstCredit();
      if (queue.length > 0) return deliver();
      return new Promise<void>((resolve) => {
        resolvePull = resolve;
      });
    },
    cancel(reason) {
      options.stop(reason instanceof BonevalueError ? reason.code : "cancelled");
      leave();
    },
  });

  function grantFirstCredit(): void {
    if (credit) return;
    const bounds = options.window();
    credit = createIncomingCredit(bounds);
    grant({ read, limit: bounds.min });
  }

  function grant(grant: Grant): void {
    lastGrant = grant;
    grantedAt = now();
    options.grant(grant);
    onRead?.(readBytes);
  }

  /** Delivers one item. The stream pulls the next only after this. */
  function deliver(): void | Promise<void> {
    const next = queue.shift();
    if (!next) return;
    isValidating = true;
    const settle = () => {
      isValidating = false;
      release(next.bytes);
    };
    return validateThen(
      schema,
      next.item,
      code,
      (item) => {
        settle();
        enqueue(item, next.bytes);
      },
      (error) => {
        settle();
        abort(thrownError(error));
      },
    );
  }

  function enqueue(item: unknown, bytes: number): void {
    if (isOver) return;
    controller.enqueue(item);
    read += bytes;
    if (options.size !== undefined) readBytes += (item as Uint8Array).length;
    const due = credit!.consume(bytes, now());
    if (due) grant(due);
    else if (now() - grantedAt >= acknowledgeInterval) acknowledge();
    if (queue.length === 0 && ending) conclude(ending.error);
  }

  function acknowledge(): void {
    grant({ read, limit: lastGrant.limit });
  }

  function conclude(error: BonevalueError | undefined): void {
    if (!error && read > lastGrant.read) acknowledge();
    leave();
    if (error) controller.error(error);
    else controller.close();
  }

  function abort(reason: BonevalueError): void {
    if (isOver) return;
    options.stop(reason.code);
    conclude(reason);
  }

  /** The stream is over: nothing is delivered or received any more. */
  function leave(): void {
    isOver = true;
    for (const { bytes } of queue) release(bytes);
    queue = [];
    resolvePull?.();
    options.onOver();
  }

  const consumer: Consumer = {
    stream,
    get isClaimed() {
      return isClaimed || stream.locked || credit !== undefined;
    },
    claim(listener) {
      isClaimed = true;
      onRead = listener;
    },
    receive(item, bytes) {
      if (isOver) return;
      if (!credit) throw protocolError("more than is allowed");
      credit.receive(bytes, now());
      if (missingBytes !== undefined) missingBytes -= lengthWithin(item, missingBytes);
      if (!reserve(bytes)) return abort(tooMuch());
      queue.push({ item, bytes });
      const resolve = resolvePull;
      resolvePull = undefined;
      resolve?.(deliver());
    },
    finish(error) {
      if (isOver) return;
      if (missingBytes && !error) throw protocolError("an unexpected frame");
      ending = { error };
      if (queue.length === 0 && !isValidating) conclude(error);
    },
    abort,
    setSchema(itemSchema) {
      schema = itemSchema;
    },
  };
  consumers.set(stream, consumer);
  return consumer;
}

function lengthWithin(item: unknown, missingBytes: number): number {
  if (item instanceof Uint8Array && item.length <= missingBytes) return item.length;
  throw protocolError("an unexpected frame");
}

function tooMuch(): BonevalueError {
  return new BonevalueError("too-large", "Too many items wait to be read. Read them faster, or send smaller ones.");
}
