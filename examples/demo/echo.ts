import { defineModule, type Module } from "bonevalue";
import * as v from "valibot";

/** The request of {@link Echo}. */
export interface EchoRequest {
  text: string;
}

/** The response of {@link Echo}. */
export interface EchoResponse {
  text: string;
  /** The browser or runtime of the peer. */
  by?: string | undefined;
}

/** The module that every peer of the demo registers. It answers with "Not " and the text. */
export const Echo: Module<v.GenericSchema<EchoRequest>, v.GenericSchema<EchoResponse>> = defineModule(
  "My.Echo.Module",
  {
    request: v.object({ text: v.string() }),
    response: v.object({ text: v.string(), by: v.optional(v.string()) }),
  },
);

/** The text of the response. */
export function negate(text: string): string {
  return `Not ${text}`;
}
