// An OpenID provider on a free loopback port, for the tests of single sign-on. Whoever it is asked to log in by
// `login_hint` is logged in without a question. It also gives opaque access tokens to a client of its own, for the one resource
// that is asked for, and tells a resource server what they are good for. Its first line says where it listens.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const CLIENT_ID = process.env.CLIENT_ID ?? "gateway";
const CLIENT_SECRET = process.env.CLIENT_SECRET;
const REDIRECT_URI = process.env.REDIRECT_URI ?? "https://app.example/sso";

const server = createServer((request, response) => answer(request, response));
let answer = (_, response) => response.writeHead(503).end();

server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        ...(CLIENT_SECRET ? { client_secret: CLIENT_SECRET } : { token_endpoint_auth_method: "none" }),
        redirect_uris: [REDIRECT_URI],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
      speaking("app", "of/the+app", ["client_credentials"]),
      speaking("resource:server", "of the/resource+server", []),
    ],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["for tests alone"] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === "resource:server" },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({ scope: "read write", audience: resource, accessTokenFormat: "opaque" }),
      },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => described(id) }),
  });
  const serve = provider.callback();
  answer = async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return serve(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const grant = new provider.Grant({ accountId: params.login_hint, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const result = { login: { accountId: params.login_hint }, consent: { grantId: await grant.save() } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  };
  console.log(issuer);
});

/** A client that proves itself by HTTP Basic. */
function speaking(id, secret, grants) {
  return { client_id: id, client_secret: secret, redirect_uris: [], response_types: [], grant_types: grants };
}

/** Somebody whose address is verified unless the name says otherwise. */
function described(id) {
  return {
    sub: `subject-of-${id}`,
    name: `The ${id}`,
    preferred_username: id,
    email: `${id}@example.com`,
    email_verified: !id.startsWith("unverified"),
  };
}
