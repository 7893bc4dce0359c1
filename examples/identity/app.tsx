import { type Alias, defineModule } from "bonevalue";
import { useClient, useIdentity, useModule, usePeers, useSelf, useUsers } from "bonevalue/react";
import { type ComponentType, type ReactElement, useEffect, useState } from "react";
import type { ViewProps } from "./card.tsx";
import { CompareNumbers } from "./compare-numbers.tsx";
import { Devices } from "./devices.tsx";
import { EnterCode } from "./enter-code.tsx";
import { Friend } from "./friend.tsx";
import { ShowCode } from "./show-code.tsx";
import { UnlinkedDevice, useUnlinked } from "./unlinked-device.tsx";

const Hello = defineModule("Hello");
const Wave = defineModule("Wave");

type ViewName = "showCode" | "enterCode" | "compare";

/** Opens a view about a friend, or about `"Us"`: the other devices of this user. */
export type Open = (view: ViewName, alias: Alias) => void;

const views: Readonly<Record<ViewName, ComponentType<ViewProps>>> = {
  showCode: ShowCode,
  enterCode: EnterCode,
  compare: CompareNumbers,
};

/** The overview, or the view that is open. */
export function App(): ReactElement | null {
  const client = useClient();
  const self = useSelf();
  const [opened, setOpened] = useState<{ readonly view: ViewName; readonly alias: Alias }>();
  const [news, setNews] = useState("");
  useGreeting();
  useModule(Wave, ({ peer }) => setNews(`${peer.name} waves at you.`));

  async function wave(friend: string) {
    setNews("");
    try {
      await client.get({ user: friend }).call(Wave).first();
      setNews(`${friend} has seen that you wave.`);
    } catch (error) {
      const { status } = client.identityOf(friend).peek();
      const reason = status === "verified" ? `${friend} has to verify you, too.` : (error as Error).message;
      setNews(`Your wave did not arrive. ${reason}`);
    }
  }

  function open(view: ViewName, alias: Alias) {
    setNews("");
    setOpened({ view, alias });
  }

  if (!self) return null;
  if (opened) {
    const View = views[opened.view];
    return <View alias={opened.alias} close={() => setOpened(undefined)} />;
  }
  return (
    <>
      {news && (
        <p className="news" role="status">
          {news}
        </p>
      )}
      <Overview open={open} wave={wave} />
    </>
  );
}

/**
 * Calls everybody once, and again when this device has joined an account, so that each side learns who the other is. The call
 * fails where somebody is not verified.
 */
function useGreeting(): void {
  const client = useClient();
  const account = useIdentity()?.account;
  const ids = usePeers()
    .map(({ id }) => id)
    .join(" ");
  useModule(Hello, () => {});
  useEffect(() => {
    if (account === undefined) return;
    for (const peer of ids.split(" ").filter(Boolean)) client.get({ peer }).call(Hello).all();
  }, [client, account, ids]);
}

function Overview({ open, wave }: { open: Open; wave: (friend: string) => void }): ReactElement {
  const friends = useUsers();
  const unlinked = useUnlinked();
  return (
    <>
      {unlinked && <UnlinkedDevice which={unlinked} open={open} />}
      <section className="card">
        <h2>Friends</h2>
        <ul className="rows" aria-label="Friends">
          {friends.map((friend) => (
            <Friend key={friend} name={friend} open={open} wave={wave} />
          ))}
        </ul>
      </section>
      {(unlinked === undefined || unlinked === "joined") && <Devices open={open} />}
    </>
  );
}
