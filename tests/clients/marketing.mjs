// A page of the profile `marketing`: it logs in, keeps its token fresh as the guide asks, with the refresh token that came last,
// and shows the campaigns.

const api = `${process.env.BASE_URL}/v1`;

function expect(isSo, what) {
  if (!isSo) {
    console.error(`not so: ${what}`);
    process.exit(1);
  }
}

async function post(path, content, token) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  return fetch(api + path, { method: 'POST', headers, body: JSON.stringify(content) });
}

async function tokens(path, content) {
  const response = await post(path, content);
  expect(response.status === 200, `POST ${path} gives tokens, but it was ${response.status}`);
  return response.json();
}

let { access_token: access, refresh_token: refresh } = await tokens('/auth/login', {
  email: process.env.EMAIL,
  password: process.env.PASSWORD,
});

let refreshes = 0;
while (refreshes < Number(process.env.REFRESHES)) {
  const campaigns = await fetch(`${api}/campaigns`, { headers: { Authorization: `Bearer ${access}` } });
  if (campaigns.status === 200) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    continue;
  }
  const { error } = await campaigns.json();
  expect(campaigns.status === 401 && error.code === 'invalid_token', `a token ends, but it was ${error.code}`);
  const renewed = await tokens('/auth/refresh', { refresh_token: refresh });
  expect(renewed.refresh_token !== refresh, 'every refresh token is good once');
  ({ access_token: access, refresh_token: refresh } = renewed);
  refreshes += 1;
}

const out = await post('/auth/logout', {}, access);
expect(out.status === 204, `logging out is fine, but it was ${out.status}`);
const over = await post('/auth/refresh', { refresh_token: refresh });
expect(over.status === 401, `nothing is left of the session, but it was ${over.status}`);
console.log(`refreshed ${refreshes} times`);
