// The vectors of docs/protocol.md, "Test vectors": a name, and the value below it.
const text: string = `
Ann's account, the key of the seed 01…01
  8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c

her phone's device key, seed 02…02
  8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394

Bob's account, seed 03…03
  ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1

account of the user "ann" from the secret 05…05
  eff8638db1548a8367020251385a30d0985c8fa71636036f434676ab3ddf180b

account of the room "ann" from the same secret
  3dc25bbdedfc06630f1021e32331710450f3dadd9c02acbc9a9244899e7170bf

name of a room, derived from the same secret
  YLuV0Tkt9wfh41YIDF2iRQ

approval of the phone by the laptop
  f9547f32e35556cc5e2518b818a68c8d51cdb9ac69adadfcecb29030929ccd6c60d0a2f4014b15e71efcf75ae83ea035d58d2977366bef386f9b8af9
  eae91e0a

clients' part of Ann's token for a user, secret 04…04
  BAQEBAQEBAQEBAQEBAQEBIQxDAaL2VI6

Ann's linking code, of the same secret
  .BAQEBAQEBAQEBAQEBAQEBI_hjdFTD1a4

Bob's claim of the token
  213bb9bc407cdbaf0f4b3a42287ec6bc

the phone's claim of the linking code, while it is an account of its own
  7470102926db9e1ddd530d939bc748a4

introduction of Bob, called "Bob", by Ann's laptop, 2026-01-01T00:00:00Z
  0000019b76daa80052d5c41fde98b51ade7b173ea5cc917e6768ca4d1977cfb5f15bd295a8c59c7b24256dbc0d5e269e6fa5a38d50bb07e192e00cc2
  76b457b0afae7b01516b779648f093a495aade25d588189a8dcf2b0b

safety number of Ann and Bob
  06349 14023 41139 18067 01882 38809 95129 76259 81818 09211 42592 65274

hash of the SDP "v=0\\r\\n"
  87e8b2d5e6ba32948f46bf1ae8cd8f36fd046a9a896996cbdd4139d2be2f11d7

what is hashed of a relayed link's X25519 key 06…06
  0100065832353531390606060606060606060606060606060606060606060606060606060606060606

hash of these bytes
  382108f616eb10b18e5697d8b29c9c1bfe32d87afbfd4844316390bae2f30887

what the phone signs for an offer with the SDP "v=0\\r\\n"
  626f6e6576616c7565206c696e6b203100000000a301018a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c018139770e
  a87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394f9547f32e35556cc5e2518b818a68c8d51cdb9ac69adadfcecb29030929ccd6c
  60d0a2f4014b15e71efcf75ae83ea035d58d2977366bef386f9b8af9eae91e0aed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614
  ac8737d10000000020306631653264336334623561363937383837393661356234633364326531663000203030313132323333343435353636373738
  38393961616262636364646565666687e8b2d5e6ba32948f46bf1ae8cd8f36fd046a9a896996cbdd4139d2be2f11d700000000000000000000000000
  00000000000000000000000000000000000000

the phone's proof
  AQGKiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgBtA9vXAGBOXcOqH0XX1ajVGbDTH7My42KkbTuN6Jd9g9bj8mzlPlUfzLjVVbMXiUYuBimjI1Rzbmsaa2t
  _OyykDCSnM1sYNCi9AFLFece_Pda6D6gNdWNKXc2a-84b5uK-erpHgrtSSjGKNHCxurpAziQWZVhKVknOlxj-TY2wUYUrIc30ZRs7Y-WY6rEdanOAyM_TDiD
  TJJdF20I3c6VX3-eS390HYAOX_9tfznRBF5Pmzc6zf8u9tKX8duZTFq7aiJAkwo

hash of the offer and its proof
  664a3b751622fda52068ac9e18692e63c32d07cc72dbc968c5329f4ae0789a50

what Bob signs for his answer, with the SDP "v=0\\r\\ns=-\\r\\n" and the claim
  626f6e6576616c7565206c696e6b203100000000330104ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d100213bb9bc
  407cdbaf0f4b3a42287ec6bc010000002030303131323233333434353536363737383839396161626263636464656566660020306631653264336334
  62356136393738383739366135623463336432653166303808e3477dc95b91d466fc4f477967faf94e302c0a0ac35d2f9f078f108b2961664a3b7516
  22fda52068ac9e18692e63c32d07cc72dbc968c5329f4ae0789a50

Bob's proof
  AQTtSSjGKNHCxurpAziQWZVhKVknOlxj-TY2wUYUrIc30QAhO7m8QHzbrw9LOkIofsa80MckH4PvDXcOxKdBsz7QxDv_BueiqmO6o71OISyIsaTOTNg41bXY
  ByC9cMIvZsBQ1fhEd--vr8aLMCj8vUQvDw

\`identity\` in the phone's hello to Bob
  8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614
  ac8737d1

a proof with all parts, for the same offer in the app "chess" (the parts do not belong together)
  AX-KiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgBtA9vXAGBOXcOqH0XX1ajVGbDTH7My42KkbTuN6Jd9g9bj8mzlPlUfzLjVVbMXiUYuBimjI1Rzbmsaa2t
  _OyykDCSnM1sYNCi9AFLFece_Pda6D6gNdWNKXc2a-84b5uK-erpHgrtSSjGKNHCxurpAziQWZVhKVknOlxj-TY2wUYUrIc30SE7ubxAfNuvD0s6Qih-xrz5
  VH8y41VWzF4lGLgYpoyNUc25rGmtrfzsspAwkpzNbGDQovQBSxXnHvz3Wug-oDXVjSl3NmvvOG-bivnq6R4KAAABm3baqABS1cQf3pi1Gt57Fz6lzJF-Z2jK
  TRl3z7XxW9KVqMWceyQlbbwNXiaeb6WjjVC7B-GS4AzCdrRXsK-uewFRa3eWSPCTpJWq3iXViBiajc8rCwGBOXcOqH0XX1ajVGbDTH7My42KkbTuN6Jd9g9b
  j8mzlPlUfzLjVVbMXiUYuBimjI1Rzbmsaa2t_OyykDCSnM1sYNCi9AFLFece_Pda6D6gNdWNKXc2a-84b5uK-erpHgoAAAGbdtqoAFLVxB_emLUa3nsXPqXM
  kX5naMpNGXfPtfFb0pWoxZx7JCVtvA1eJp5vpaONULsH4ZLgDMJ2tFewr657AVFrd5ZI8JOklareJdWIGJqNzysLAe1JKMYo0cLG6ukDOJBZlWFHMt8vdm4v
  BwHfOaF2_xLtz3Ab2LKhzOjNbsFk56hAaMlyiJAVDqsXW2hgRVB5dormoaQso4PUMVcdzGzL03oC
`;

/** Reads vectors by name. Line breaks within a value are removed. */
export function parseVectors(text: string): ReadonlyMap<string, string> {
  const entries = text.trim().split("\n\n");
  return new Map(
    entries.map((entry) => {
      const [name = "", ...lines] = entry.split("\n");
      return [name, lines.map((line) => line.trim()).join("")];
    }),
  );
}

/** The test vectors by name. */
export const vectors: ReadonlyMap<string, string> = parseVectors(text);

/** The value of a vector. */
export function vector(name: string): string {
  const value = vectors.get(name);
  if (value === undefined) throw new Error(`There is no vector "${name}".`);
  return value;
}
