import type { Client } from "../client.ts";
import { BonevalueError } from "../errors.ts";
import { logOf } from "./inspect.ts";
import { createPanel, type Panel } from "./panel/panel.ts";
import { createPreview } from "./preview.ts";

/** The options of {@link mount}. */
export interface InspectorOptions {
  /**
   * Whether the values of calls, messages and presence are recorded from now on, as short texts. They are then also in what
   * {@link exportLog} returns. Default false: only their sizes.
   */
  payloads?: boolean | undefined;
  /**
   * Returns what is shown for the value of a key, like the `replacer` of `JSON.stringify`: the value itself, or another one.
   * Called after the values of keys that look like secrets, such as `password` and `token`, were masked.
   */
  redact?: ((key: string, value: unknown) => unknown) | undefined;
  /** Whether the panel is open at first. Default false: there is only a button. */
  open?: boolean | undefined;
}

let panel: Panel | undefined;

/**
 * Shows the inspector in the page: a button in the corner that opens a panel with the session, links, calls, streams and
 * presence of `client`. Several clients share the panel. Returns the undo, which removes it. Throws `unsupported` without a page.
 *
 * @example
 * import { mount } from "bonevalue/devtools";
 * import { createClient } from "bonevalue";
 * const client = createClient();
 * if (import.meta.env.DEV) mount(client);
 */
export function mount(client: Client, options: InspectorOptions = {}): () => void {
  const { payloads = false, redact, open = false } = options;
  if (typeof document === "undefined")
    throw new BonevalueError("unsupported", "The inspector needs a page. Elsewhere, print exportLog(client).");
  const log = logOf(client);
  const preview = payloads ? createPreview(redact) : undefined;
  if (log && preview) log.preview = preview;
  panel ??= createPanel(() => {
    panel = undefined;
  });
  const remove = panel.add({ client, log }, redact);
  if (open) panel.open();
  return () => {
    if (log && log.preview === preview) log.preview = undefined;
    remove();
  };
}
