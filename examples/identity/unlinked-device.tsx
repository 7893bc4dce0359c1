import { useClient, useIdentity, useIdentityOf, useTrust, useUsers } from "bonevalue/react";
import { type ReactElement, useEffect, useState } from "react";
import type { Open } from "./app.tsx";
import { DeviceChoices } from "./choices.tsx";

/** Why two devices of this user are not linked: this one was removed, this one is new, or the other one is. */
export type Unlinked = "removed" | "new" | "joined";

/** Whether a device of this user is not linked, and which one. */
export function useUnlinked(): Unlinked | undefined {
  const identity = useIdentity();
  const hasJoined = useIdentityOf("Us").status === "changed";
  const hasVerified = useHasVerified();
  if (!identity || (identity.status !== "unlinked" && !hasJoined)) return undefined;
  if (identity.account !== identity.device) return identity.status === "unlinked" ? "removed" : "joined";
  return hasVerified || identity.devices.length > 0 ? "joined" : "new";
}

/** Whether this device has verified a friend. */
function useHasVerified(): boolean {
  const client = useClient();
  const friends = useUsers();
  const [hasVerified, setHasVerified] = useState(false);
  useEffect(() => {
    const identities = friends.map((friend) => client.identityOf(friend));
    const update = () => setHasVerified(identities.some((identity) => identity.peek().status === "verified"));
    const stops = identities.map((identity) => identity.subscribe(update));
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, friends]);
  return hasVerified;
}

/** Says which device is not linked, and what to do. */
export function UnlinkedDevice({ which, open }: { which: Unlinked; open: Open }): ReactElement {
  const { resetIdentity, pending } = useTrust();
  const [isForeign, setForeign] = useState(false);
  if (which === "removed") {
    return (
      <section className="card attention">
        <h2>This device was removed</h2>
        <p>You have removed it on another device. Your friends do not talk to it any more.</p>
        <p className="actions">
          <button type="button" disabled={pending} onClick={resetIdentity}>
            Use it again, as a new device
          </button>
        </p>
      </section>
    );
  }
  if (which === "new") {
    return (
      <section className="card attention">
        <h2>This device is new</h2>
        <p>
          Your friends cannot tell yet that it is yours. Open this page on a device that you already use, and link the
          two.
        </p>
        <DeviceChoices open={open} />
        <small>If you have no other device, verify each friend again.</small>
      </section>
    );
  }
  if (isForeign) {
    return (
      <section className="card attention">
        <h2>Change your password</h2>
        <p>Somebody else knows it. Your friends do not talk to that device, because it is not linked.</p>
      </section>
    );
  }
  return (
    <section className="card attention">
      <h2>Have you signed in on another device?</h2>
      <p>If you have, link it with this one. Until then your friends do not talk to it.</p>
      <DeviceChoices open={open} />
      <p className="actions">
        <button type="button" className="quiet" onClick={() => setForeign(true)}>
          No, that is not me
        </button>
      </p>
    </section>
  );
}
