import { type Client, createClient } from "./client.ts";

declare global {
  /** The client of the page, created by the script tag. */
  var $BV: Client;
}

globalThis.$BV = createClient();
