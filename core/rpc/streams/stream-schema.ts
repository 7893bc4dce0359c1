import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { requireSchema } from "../../check-arguments.ts";
import { BonevalueError } from "../../errors.ts";
import { validate } from "../validate.ts";
import { thrownError } from "../wire-errors.ts";
import { consumerOf } from "./consumer.ts";
import { createIncomingStream, type IncomingStream } from "./incoming-stream.ts";
import { isRemoteFile } from "./is-remote-file.ts";
import { chunksOf, infoOf, isBlob } from "./local-file.ts";
import { isReadableStream } from "./outgoing-stream.ts";
import { isAsyncIterable, type PullSource, pullFromIterable, pullFromStream } from "./pull.ts";
import { createRemoteFile, type OnRead, type RemoteFile } from "./remote-file.ts";

type Schema = StandardSchemaV1<any, any>;
type In<S> = S extends StandardSchemaV1<infer I, any> ? I : never;
type Out<S> = S extends StandardSchemaV1<any, infer O> ? O : never;

/**
 * Describes a stream anywhere in a request or a response. Streams and blobs are recognized with or without a schema. This
 * schema also validates each item as it arrives: an invalid item stops the stream, and its reader gets `invalid-request` or
 * `invalid-response`. It nests in valibot schemas; inside zod or arktype use their custom type for `AsyncIterable`.
 *
 * Nothing is sent before the receiver reads. A stream outlives the reply that carried it. It ends with its last item, an
 * error of its producer, its reader's cancel, the abort of the call's `signal`, or the end of the link. Streams of a request that the
 * handler has not begun to read are cancelled when it has answered and the streams of its answer have ended. Streams of a
 * reply that are not read are cancelled after `idleTimeout`. Throws `invalid-request` for an item that is not a Standard Schema.
 *
 * @example
 * const Tail = defineModule("Log.Tail", { request: v.object({ path: v.string() }), response: stream(v.string()) });
 * client.module(Tail, async function* ({ request }) { yield* linesOf(request.path); });
 * for await (const line of await client.get("Oli").call(Tail, { path: "app.log" }).first()) console.log(line);
 */
export function stream<Item extends Schema>(
  item: Item,
): v.GenericSchema<AsyncIterable<In<Item>> | ReadableStream<In<Item>>, IncomingStream<Out<Item>>> {
  requireSchema(item);
  return v.pipe(
    v.custom<AsyncIterable<In<Item>> | ReadableStream<In<Item>>>(isStream, "Expected a stream."),
    v.transform((source) => validated(source, item)),
  );
}

/** Describes a `Blob` or a `File`. It is sent as a byte stream, and its receiver need not hold it in memory. */
export function file(): v.GenericSchema<Blob | RemoteFile, RemoteFile> {
  return v.pipe(
    v.custom<Blob | RemoteFile>((value) => isBlob(value) || isRemoteFile(value), "Expected a file."),
    v.transform((value) => (isBlob(value) ? localFile(value) : value)),
  );
}

function isStream(value: unknown): boolean {
  return isReadableStream(value) || isAsyncIterable(value);
}

// A stream that arrived is given its schema, and stays the same object, so that it is known whether it is read.
function validated(source: AsyncIterable<unknown> | ReadableStream<unknown>, item: Schema): IncomingStream<any> {
  const consumer = consumerOf(source);
  consumer?.setSchema(item);
  return consumer?.stream ?? readLocally(() => pullFrom(source), item);
}

function localFile(blob: Blob): RemoteFile {
  return createRemoteFile(infoOf(blob), (onRead) => readLocally(() => pullFromIterable(chunksRead(blob, onRead))));
}

async function* chunksRead(blob: Blob, onRead: OnRead): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  onRead?.(0);
  for await (const chunk of chunksOf(blob)) {
    yield chunk;
    bytes += chunk.length;
    onRead?.(bytes);
  }
}

function pullFrom(source: AsyncIterable<unknown> | ReadableStream<unknown>): PullSource {
  return isReadableStream(source) ? pullFromStream(source) : pullFromIterable(source);
}

/** Makes a stream of what never left the page, as in an app's own tests. */
function readLocally(open: () => PullSource, item?: Schema): IncomingStream<any> {
  let source: PullSource | undefined;
  const sourceOf = () => {
    source ??= open();
    return source;
  };
  return createIncomingStream({
    async pull(controller) {
      const { done, value } = await sourceOf().next();
      if (done) return controller.close();
      try {
        controller.enqueue(await validate(item, value, "invalid-request"));
      } catch (error) {
        sourceOf().cancel(thrownError(error));
        throw error;
      }
    },
    cancel(reason) {
      sourceOf().cancel(new BonevalueError("cancelled", "The reader cancelled the stream.", { cause: reason }));
    },
  });
}
