import type { StandardSchemaV1 } from "@standard-schema/spec";
import { requireSchema } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";

type Schema = StandardSchemaV1<any, any>;
type In<S> = S extends StandardSchemaV1<infer I, any> ? I : unknown;
type Out<S> = S extends StandardSchemaV1<any, infer O> ? O : unknown;

/** A module's contract, shared by its callers and by the peers that offer it. */
export interface Module<Request extends Schema | undefined = any, Response extends Schema | undefined = any> {
  /** The name under which peers call it. */
  readonly name: string;
  /** Validates requests at their receiver. `undefined`: any value. */
  readonly request: Request;
  /** Validates responses at the caller. `undefined`: any value. */
  readonly response: Response;
}

/** The request that a caller of `M` sends. Under a bare name it is untyped. */
export type RequestInput<M> = M extends Module<infer Q, any> ? In<Q> : any;
/** The request that a handler of `M` gets. */
export type RequestOutput<M> = M extends Module<infer Q, any> ? Out<Q> : any;
/** The response that a handler of `M` returns. */
export type ResponseInput<M> = M extends Module<any, infer R> ? In<R> : any;
/** The response that a caller of `M` gets. */
export type ResponseOutput<M> = M extends Module<any, infer R> ? Out<R> : any;

/** The request and the arguments after it. The request may be omitted when the module takes none. */
export type Args<M, Rest extends unknown[]> =
  undefined extends RequestInput<M>
    ? [request?: RequestInput<M>, ...rest: Rest]
    : [request: RequestInput<M>, ...rest: Rest];

/**
 * Declares a contract with any Standard Schema (valibot, zod, arktype…). Every value is validated once, by the peer that
 * receives it: senders pass the schema's input, receivers get its output. Give a contract a new name when you change it
 * incompatibly. Throws `unknown-module` unless `name` is a string of at most 1 024 characters, and `invalid-request` for a
 * schema that is not a Standard Schema.
 *
 * @example
 * const Echo = defineModule("Echo", { request: v.object({ text: v.string() }), response: v.object({ text: v.string() }) });
 */
export function defineModule<
  Request extends Schema | undefined = undefined,
  Response extends Schema | undefined = undefined,
>(name: string, schemas?: { request?: Request; response?: Response }): Module<Request, Response> {
  requireName(name);
  const { request, response } = schemas ?? {};
  requireSchema(request);
  requireSchema(response);
  return Object.freeze({ name, request: request as Request, response: response as Response });
}

/** Returns the contract for a module or a bare name, which has no schemas. Throws `unknown-module` for an invalid name. */
export function moduleOf(module: Module | string): Module {
  const contract = typeof module === "string" ? { name: module, request: undefined, response: undefined } : module;
  requireName(contract?.name);
  return contract;
}

// A frame with the longest name and the largest value must not exceed the largest frame: the receiver would end the link.
const maxModuleNameLength = 1_024;

function requireName(name: unknown): void {
  if (typeof name === "string" && name.length <= maxModuleNameLength) return;
  throw new BonevalueError("unknown-module", "Name the module, in at most 1024 characters.");
}

/** The code of a value that does not fit the module's contract. */
export type ContractCode = "invalid-request" | "invalid-response";

/** One request, as the module's handler gets it. */
export interface HandlerContext<Request> {
  /** What the caller sent, validated. */
  readonly request: Request;
  /** The calling peer. */
  readonly peer: Peer;
  /** Whether the peer's identity is certain: otherwise somebody else may have its name. */
  readonly verified: boolean;
  /**
   * Until the answer, aborts when the caller cancels, the deadline passes or the link is lost. Its reason is a
   * {@link BonevalueError}. After an answer with streams, aborts when all of them are over, if the caller stopped one or
   * the link was lost while one was open.
   */
  readonly signal: AbortSignal;
}

/** Short form, under a bare name: the handler passes its answer to `callback`, now or later, or returns it. */
export interface NamedHandlerContext extends HandlerContext<any> {
  /** Answers the call. A returned value does the same. */
  callback(response: any): void;
}

/**
 * Answers by returning a value or a promise, or as an async generator where the response is a stream. An error that it
 * throws reaches the caller as `handler-failed`, and a {@link BonevalueError} as it is; the stack is never sent. Under a
 * bare name a handler may instead return nothing and call the callback; the first answer counts.
 */
export type Handler<M> = M extends string
  ? (context: NamedHandlerContext) => unknown
  : (context: HandlerContext<RequestOutput<M>>) => Answer<ResponseInput<M>> | Promise<Answer<ResponseInput<M>>>;
type Answer<R> = unknown extends R ? unknown : undefined extends R ? R | void : R;
