import { renderToString } from "react-dom/server";
import { createNetwork } from "../../core/testing/network.ts";
import { pages } from "./conformance.tsx";
import { BonevalueProvider } from "./index.ts";

/** The people page as a server renders it. */
export async function renderPage(): Promise<string> {
  return renderToString(
    <BonevalueProvider client={createNetwork().client("ann")}>
      <pages.people query="*" saw={() => {}} />
    </BonevalueProvider>,
  );
}
