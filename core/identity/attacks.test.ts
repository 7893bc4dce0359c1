import { memoryKeyStore } from "./key-stores.ts";
import { testAttacks } from "./testing/attack-tests.ts";
import { createTarget } from "./testing/page-target.ts";
import { createLocalClient } from "./testing/users.ts";

testAttacks(["off", "tofu", "require"], (username, password, { policy, host, isOther }) => {
  const keyStore = isOther ? memoryKeyStore() : undefined;
  const client = createLocalClient({ identity: { policy, keyStore } });
  return createTarget(client, username, password, host);
});
