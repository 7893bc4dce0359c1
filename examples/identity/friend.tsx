import { useIdentityOf, usePeers } from "bonevalue/react";
import { type ReactElement, useState } from "react";
import type { Open } from "./app.tsx";
import { FriendChoices } from "./choices.tsx";

const words = {
  unknown: "not verified yet",
  seen: "not verified yet",
  pending: "waits for the code",
  verified: "verified",
  changed: "has a new device that is not verified, or somebody else uses this name",
};

interface Props {
  readonly name: string;
  readonly open: Open;
  readonly wave: (friend: string) => void;
}

/** A friend, and what can be done. */
export function Friend({ name, open, wave }: Props): ReactElement {
  const { status } = useIdentityOf(name);
  const isOnline = usePeers({ user: name }).length > 0;
  const [isChoosing, setChoosing] = useState(false);
  const isVerified = status === "verified";
  return (
    <li>
      <b data-who={name}>{name}</b>
      <small>
        {isOnline ? "online" : "offline"}, <span className={status}>{words[status]}</span>
      </small>
      <span className="actions">
        {isVerified && (
          <button type="button" className="quiet" onClick={() => open("compare", name)}>
            Compare numbers
          </button>
        )}
        {(isVerified || status === "changed") && (
          <button type="button" className="quiet" disabled={!isOnline} onClick={() => wave(name)}>
            Wave
          </button>
        )}
        {!isVerified && !isChoosing && (
          <button type="button" onClick={() => setChoosing(true)}>
            Verify {name}
          </button>
        )}
      </span>
      {!isVerified && isChoosing && <FriendChoices name={name} open={open} />}
    </li>
  );
}
