// A page of the profile `vantage`, as its guide describes one: it logs in, lists and writes posts with the token, and asks for a
// new token with the current one as long as that is good. When it is too late for that it logs in again.

const api = `${process.env.BASE_URL}/api/v1`;

function expect(isSo, what) {
  if (!isSo) {
    console.error(`not so: ${what}`);
    process.exit(1);
  }
}

async function logIn() {
  const response = await fetch(`${api}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: process.env.EMAIL, password: process.env.PASSWORD }),
  });
  expect(response.status === 200, `a login succeeds, but it was ${response.status}`);
  const { access_token, user } = await response.json();
  expect(user.email === process.env.EMAIL, 'the login tells whose it is');
  return access_token;
}

const asking = (token) => ({ headers: { Authorization: `Bearer ${token}` } });

let token = await logIn();
const posts = await fetch(`${api}/posts`, asking(token));
expect(posts.status === 200, `the posts are listed, but it was ${posts.status}`);
expect(Number(posts.headers.get('X-RateLimit-Remaining')) >= 0, 'what is left is told');

for (let turn = 0; turn < Number(process.env.REFRESHES); turn += 1) {
  const renewed = await fetch(`${api}/auth/refresh`, { method: 'POST', ...asking(token) });
  expect(renewed.status === 200, `a good token is refreshed, but it was ${renewed.status}`);
  token = (await renewed.json()).access_token;
}

let refusal;
do {
  await new Promise((resolve) => setTimeout(resolve, 100));
  refusal = await fetch(`${api}/posts`, asking(token));
} while (refusal.status === 200);
const told = await refusal.json();
expect(refusal.status === 401 && told.error === 'token_expired', `a token ends, but it was ${JSON.stringify(told)}`);
const late = await fetch(`${api}/auth/refresh`, { method: 'POST', ...asking(token) });
expect(late.status === 401, `it is too late to refresh it, but it was ${late.status}`);
const again = await fetch(`${api}/posts`, asking(await logIn()));
expect(again.status === 200, `a login opens them again, but it was ${again.status}`);
console.log('fine');
