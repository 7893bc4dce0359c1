// Logs every event to the console for the test, and answers calls.
$BV.on("connect", () => console.log("connect"));
$BV.on("disconnect", () => console.log("disconnect"));
$BV.on("peerconnect", ({ name, id }) => console.log("peerconnect", name, id));
$BV.on("peerdisconnect", (id) => console.log("peerdisconnect", id));
$BV.on("newuser", (alias) => console.log("newuser", alias));
$BV.module("My.Echo.Module", ({ request, peer }) => ({
  text: `Not ${request.text}`,
  from: $BV.getId(),
  to: peer,
}));
