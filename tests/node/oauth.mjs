// What two libraries of other people's do with the OAuth endpoints of the gateway, unchanged: they find out where these
// are, prove who they are in each of the three ways, and get, exchange, ask about and take back tokens.
//
// The issuer has a name that is configured before the port is known, so requests to it are sent to BASE_URL instead.

import { writeFileSync } from 'node:fs';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

const { BASE_URL, CLIENT_ID, CLIENT_SECRET, ISSUER, JWKS_FILE } = process.env;
const issuer = new URL(ISSUER);
const there = (url, options) => fetch(String(url).replace(ISSUER, BASE_URL), options);

function expect(isSo, what) {
  if (!isSo) {
    console.error(`not so: ${what}`);
    process.exit(1);
  }
}

// the test registers the public half while this waits
const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
writeFileSync(JWKS_FILE, JSON.stringify({ keys: [{ kty, crv, x, y, alg: 'ES256', use: 'sig', kid: '1' }] }));
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();

const signing = { key: keys.privateKey, kid: '1' };
const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: there };
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options });
const server = await oauth.processDiscoveryResponse(issuer, discovered);
const self = { client_id: CLIENT_ID };

for (const proof of [
  oauth.ClientSecretBasic(CLIENT_SECRET),
  oauth.ClientSecretPost(CLIENT_SECRET),
  oauth.PrivateKeyJwt(signing),
]) {
  const scope = new URLSearchParams({ scope: 'customers:read' });
  const answer = await oauth.clientCredentialsGrantRequest(server, self, proof, scope, options);
  const given = await oauth.processClientCredentialsResponse(server, self, answer);
  expect(given.token_type === 'bearer' && given.expires_in === 3600 && given.scope === 'customers:read', 'given');
  const used = await there(`${ISSUER}/api/customers/1`, { headers: { authorization: `Bearer ${given.access_token}` } });
  expect(used.status === 200, 'used');
  const exchange = {
    subject_token: given.access_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const exchanged = await oauth.genericTokenEndpointRequest(server, self, proof, grant, exchange, options);
  const other = await oauth.processGenericTokenEndpointResponse(server, self, exchanged);
  expect(other.issued_token_type === exchange.subject_token_type, 'exchanged');
  const about = async () => {
    const asked = await oauth.introspectionRequest(server, self, proof, given.access_token, options);
    return oauth.processIntrospectionResponse(server, self, asked);
  };
  expect((await about()).active, 'active');
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, self, proof, given.access_token, options),
  );
  expect(!(await about()).active, 'taken back');
}

const refused = await oauth.clientCredentialsGrantRequest(server, self, oauth.ClientSecretBasic('x'), {}, options);
const error = await oauth.processClientCredentialsResponse(server, self, refused).catch((error) => error);
expect(error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401, 'refused with a challenge');

for (const proof of [
  client.ClientSecretBasic(CLIENT_SECRET),
  client.ClientSecretPost(CLIENT_SECRET),
  client.PrivateKeyJwt(signing),
]) {
  const how = { algorithm: 'oauth2', execute: [client.allowInsecureRequests], [client.customFetch]: there };
  const config = await client.discovery(issuer, CLIENT_ID, undefined, proof, how);
  const given = await client.clientCredentialsGrant(config, { scope: 'customers:read' });
  expect((await client.tokenIntrospection(config, given.access_token)).active, 'active');
  await client.tokenRevocation(config, given.access_token);
  expect(!(await client.tokenIntrospection(config, given.access_token)).active, 'taken back');
}
