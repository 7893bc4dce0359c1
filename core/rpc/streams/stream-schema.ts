import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { BonevalueError } from "../../errors.ts";
import { validate } from "../validate.ts";
import { thrownError } from "../wire-errors.ts";
import { consumerOf } from "./consumer.ts";
import { createIncomingStream, type IncomingStream } from "./incoming-stream.ts";
import { isAsyncIterable, type PullSource, pullFromIterable, pullFromStream } from "./pull.ts";
import { createRemoteFile, infoOf, isRemoteFile, type RemoteFile } from "./remote-file.ts";

type Schema = StandardSchemaV1<any, any>;
type In<S> = S extends StandardSchemaV1<infer I, any> ? I : never;
type Out<S> = S extends StandardSchemaV1<any, infer O> ? O : never;

/**
 * A stream as a value, anywhere in a request or a response. On the wire streams and blobs are recognised by value, with
 * or without a schema; this one validates the items as they arrive: one that does not fit stops the stream, and is its
 * reader's `invalid-request` or `invalid-response`. It nests in valibot schemas; inside zod or arktype use their custom
 * type for `AsyncIterable`.
 *
 * Nothing is sent before the consumer reads. A stream outlives the reply that carried it, and ends with its last item,
 * its producer's error, its consumer's cancel, the abort of the call's `signal`, or the link. Request streams
 * that nobody has taken when the handler has answered, and made the streams of its answer, are cancelled; reply streams
 * that nobody reads, after `idleTimeout`.
 *
 * @example
 * const Tail = defineModule("Log.Tail", { request: v.object({ path: v.string() }), response: stream(v.string()) });
 * client.module(Tail, async function* ({ request }) { yield* linesOf(request.path); });
 * for await (const line of await client.get("Oli").call(Tail, { path: "app.log" }).first()) console.log(line);
 */
export function stream<Item extends Schema>(
  item: Item,
): v.GenericSchema<AsyncIterable<In<Item>> | ReadableStream<In<Item>>, IncomingStream<Out<Item>>> {
  return v.pipe(
    v.custom<AsyncIterable<In<Item>> | ReadableStream<In<Item>>>(isStream, "Expected a stream."),
    v.transform((source) => validated(source, item)),
  );
}

/** A `Blob` or `File` as a value: sent as a byte stream, received without being held in memory. */
export function file(): v.GenericSchema<Blob | RemoteFile, RemoteFile> {
  return v.pipe(
    v.custom<Blob | RemoteFile>((value) => value instanceof Blob || isRemoteFile(value), "Expected a file."),
    v.transform((value) => (value instanceof Blob ? localFile(value) : value)),
  );
}

function isStream(value: unknown): boolean {
  return value instanceof ReadableStream || isAsyncIterable(value);
}

// What arrived is told what to expect, and stays the same stream: whether it is read can then be seen.
function validated(source: AsyncIterable<unknown> | ReadableStream<unknown>, item: Schema): IncomingStream<any> {
  const consumer = consumerOf(source);
  consumer?.expect(item);
  return consumer?.stream ?? validatedCopy(source, item);
}

/** For streams of the same page, as in an app's own tests. */
function validatedCopy(source: AsyncIterable<unknown> | ReadableStream<unknown>, item: Schema): IncomingStream<any> {
  let begun: PullSource | undefined;
  const begin = () => {
    begun ??= source instanceof ReadableStream ? pullFromStream(source) : pullFromIterable(source);
    return begun;
  };
  return createIncomingStream({
    async pull(controller) {
      const { done, value } = await begin().next();
      if (done) return controller.close();
      try {
        controller.enqueue(await validate(item, value, "invalid-request"));
      } catch (error) {
        begin().cancel(thrownError(error));
        throw error;
      }
    },
    cancel(reason) {
      begin().cancel(new BonevalueError("cancelled", "The stream's reader wants no more.", { cause: reason }));
    },
  });
}

function localFile(blob: Blob): RemoteFile {
  return createRemoteFile(infoOf(blob), () => {
    const reader = blob.stream().getReader();
    return createIncomingStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    });
  });
}
