import { createClient } from "bonevalue";
import { bonevalue } from "bonevalue/vue";
import { createApp } from "vue";
import { signIn } from "../shell/sign-in.ts";
import App from "./app.vue";

const client = createClient({ app: "invite-link", remember: "tab" });
createApp(App).use(bonevalue, { client }).mount("#app");
await signIn(client, ["Mia", "Noa"]);
