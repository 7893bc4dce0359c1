import { createClient } from "bonevalue";
import { BonevalueProvider } from "bonevalue/react";
import { createRoot } from "react-dom/client";
import { signIn } from "../shell/sign-in.ts";
import { App } from "./app.tsx";

const client = createClient({ identity: "require" });
createRoot(document.querySelector("#app")!).render(
  <BonevalueProvider client={client}>
    <App />
  </BonevalueProvider>,
);
await signIn(client);
