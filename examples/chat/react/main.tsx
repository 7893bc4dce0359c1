import { createClient, type Peer } from "bonevalue";
import {
  BonevalueProvider,
  useClient,
  useEvent,
  useModule,
  useOthers,
  usePeers,
  usePresence,
  useSelf,
} from "bonevalue/react";
import { type FormEvent, useState } from "react";
import { createRoot } from "react-dom/client";
import { joinRoom } from "../../shell/sign-in.ts";
import { firstLines, type Line, profileSchema, Say, statusOf, Typing, typingText, withLine } from "../chat.ts";

const client = createClient({ app: "chat", remember: "tab", profileSchema });

function Member({ peer }: { peer: Peer }) {
  return (
    <li>
      <b data-who={peer.name}>{peer.name}</b> <small>{statusOf(peer)}</small>
    </li>
  );
}

function Members() {
  const self = useSelf();
  const peers = usePeers();
  const client = useClient();
  return (
    <ul className="members" aria-label="Members">
      <li>
        <b>{self?.username} (you)</b>
        <input
          aria-label="Your status"
          placeholder="Set a status"
          maxLength={60}
          onChange={({ target }) => client.setProfile({ status: target.value })}
        />
      </li>
      {peers.map((peer) => (
        <Member key={peer.id} peer={peer} />
      ))}
    </ul>
  );
}

function App() {
  const client = useClient();
  const [lines, setLines] = useState(firstLines);
  const [text, setText] = useState("");
  const [, setTyping] = usePresence(Typing, false);
  const typing = useOthers(Typing, "*", (others) => others.filter(({ value }) => value).map(({ peer }) => peer.name));
  const add = (...line: [who: string, text: string, kind?: Line["kind"]]) =>
    setLines((before) => withLine(before, ...line));

  useModule(Say, ({ request, peer }) => add(peer.name, request));
  useEvent("peerconnect", ({ name }) => add(name, "has joined", "notice"));

  function type(text: string) {
    setText(text);
    setTyping(text !== "");
  }

  function say(event: FormEvent) {
    event.preventDefault();
    add("You", text, "mine");
    client.get("*").message(Say, text);
    type("");
  }

  return (
    <div className="chat">
      <Members />
      <section className="talk">
        <ul className="log" role="log" aria-label="Conversation">
          {lines.map(({ id, who, text, kind }) => (
            <li key={id} className={kind}>
              <b data-who={who}>{who}</b> <span>{text}</span>
            </li>
          ))}
        </ul>
        <p className="typing" role="status">
          {typingText(typing)}
        </p>
        <form onSubmit={say}>
          <input
            value={text}
            onChange={({ target }) => type(target.value)}
            placeholder="Message"
            aria-label="Message"
            autoComplete="off"
            maxLength={2000}
            required
          />
          <button type="submit">Send</button>
        </form>
      </section>
    </div>
  );
}

createRoot(document.querySelector("#app")!).render(
  <BonevalueProvider client={client}>
    <App />
  </BonevalueProvider>,
);
await joinRoom(client);
