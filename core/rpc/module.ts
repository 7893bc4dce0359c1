import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";

type Schema = StandardSchemaV1<any, any>;
type In<S> = S extends StandardSchemaV1<infer I, any> ? I : unknown;
type Out<S> = S extends StandardSchemaV1<any, infer O> ? O : unknown;

/** A module's contract, shared by the peers that offer it and those that call it. */
export interface Module<Request extends Schema | undefined = any, Response extends Schema | undefined = any> {
  readonly name: string;
  readonly request: Request;
  readonly response: Response;
}

/** What a caller of `M` writes. A bare name is untyped. */
export type RequestInput<M> = M extends Module<infer Q, any> ? In<Q> : any;
/** What a handler of `M` reads. */
export type RequestOutput<M> = M extends Module<infer Q, any> ? Out<Q> : any;
/** What a handler of `M` answers. */
export type ResponseInput<M> = M extends Module<any, infer R> ? In<R> : any;
/** What a caller of `M` reads. */
export type ResponseOutput<M> = M extends Module<any, infer R> ? Out<R> : any;

/** A request and what follows it; the request may be left out when the module takes none. */
export type Args<M, Rest extends unknown[]> =
  undefined extends RequestInput<M>
    ? [request?: RequestInput<M>, ...rest: Rest]
    : [request: RequestInput<M>, ...rest: Rest];

/**
 * Declares a contract with any Standard Schema (valibot, zod, arktype…). Every value is validated once, by the peer that
 * receives it: senders write the schema's input, receivers read its output. A contract that changes incompatibly takes a
 * new name. Throws `unknown-module` where `name` is no text of 1 024 characters at most.
 *
 * @example
 * const Echo = defineModule("Echo", { request: v.object({ text: v.string() }), response: v.object({ text: v.string() }) });
 */
export function defineModule<
  Request extends Schema | undefined = undefined,
  Response extends Schema | undefined = undefined,
>(name: string, schemas?: { request?: Request; response?: Response }): Module<Request, Response> {
  requireName(name);
  return Object.freeze({ name, request: schemas?.request as Request, response: schemas?.response as Response });
}

/**
 * The contract behind what the app wrote: a bare name is one without schemas. Throws `unknown-module` where it has no
 * name.
 */
export function moduleOf(module: Module | string): Module {
  if (typeof module === "string") return defineModule(module);
  requireName(module?.name);
  return module;
}

// With the longest of values beside it, it must fit what a frame may have: a longer one would cost the link.
const longestName = 1_024;

function requireName(name: unknown): void {
  if (typeof name === "string" && name.length <= longestName) return;
  throw new BonevalueError(
    "unknown-module",
    "Name the module, in 1024 characters at most, or make it by defineModule.",
  );
}

/** With what a value fails that breaks the module's contract: one of a request, or of a response. */
export type ContractCode = "invalid-request" | "invalid-response";

/** One request, as the module's handler sees it. */
export interface HandlerContext<Request> {
  readonly request: Request;
  readonly peer: Peer;
  /**
   * Until the answer: aborts when the caller cancels, the deadline passes or the link is lost, with that
   * {@link BonevalueError} as its reason. After an answer with streams: once all of them are over, if one was stopped, or
   * was open when the link was lost.
   */
  readonly signal: AbortSignal;
}

/** The seed's form, under a bare name: the answer goes to `callback`, now or later, or is returned. */
export interface NamedHandlerContext extends HandlerContext<any> {
  callback(response: any): void;
}

/**
 * Answers by returning a value or a promise, or by being an async generator where the response is a stream. What it
 * throws reaches the caller as `handler-failed`, or as the {@link BonevalueError} that it is; never the stack. Under a
 * bare name a handler may instead return nothing and use the callback; the first answer counts.
 */
export type Handler<M> = M extends string
  ? (exchange: NamedHandlerContext) => unknown
  : (exchange: HandlerContext<RequestOutput<M>>) => Answer<ResponseInput<M>> | Promise<Answer<ResponseInput<M>>>;
type Answer<R> = unknown extends R ? unknown : undefined extends R ? R | void : R;
