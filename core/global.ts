import { type Client, createClient } from "./client.ts";

declare global {
  /** The page's one client, made by the script tag. */
  var $BV: Client;
}

globalThis.$BV = createClient();
