import { createClient } from "bonevalue";
import { bonevalue } from "bonevalue/vue";
import { createApp } from "vue";
import { joinRoom } from "../../shell/sign-in.ts";
import { profileSchema } from "../chat.ts";
import App from "./app.vue";

const client = createClient({ app: "chat", remember: "tab", profileSchema });
createApp(App).use(bonevalue, { client }).mount("#app");
await joinRoom(client);
