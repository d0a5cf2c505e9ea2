// A web client of the profile `musicgen`, as its guide describes one: it logs in, keeps the refresh token that it was given
// first, and refreshes whenever an answer is 401. It goes on until it has refreshed as often as it was asked to.

const api = `${process.env.BASE_URL}/v1`;
const json = { 'Content-Type': 'application/json' };

function expect(isSo, what) {
  if (!isSo) {
    console.error(`not so: ${what}`);
    process.exit(1);
  }
}

async function post(path, content) {
  const response = await fetch(api + path, { method: 'POST', headers: json, body: JSON.stringify(content) });
  expect(response.ok, `POST ${path} is fine, but it was ${response.status}`);
  return response.json();
}

class Session {
  refreshes = 0;

  async open(email, password) {
    const { access_token, refresh_token, user } = await post('/auth/login', { email, password });
    this.access = access_token;
    this.refresh = refresh_token;
    return user;
  }

  async renew() {
    // the answer's refresh token is not looked at, as in the guide
    this.access = (await post('/auth/refresh', { refresh_token: this.refresh })).access_token;
    this.refreshes += 1;
  }

  call(path, options) {
    return fetch(api + path, { ...options, headers: { ...json, Authorization: `Bearer ${this.access}` } });
  }

  async ask(path, options) {
    const first = await this.call(path, options);
    if (first.status !== 401) return first;
    const { error } = await first.json();
    expect(error.code === 'TOKEN_EXPIRED', `a token only ever expires, but it was ${error.code}`);
    await this.renew();
    return this.call(path, options);
  }
}

const session = new Session();
const user = await session.open(process.env.EMAIL, process.env.PASSWORD);
expect(user.email === process.env.EMAIL, 'the login tells whose it is');
expect(Number.isInteger(user.usage.generations_remaining), 'the usage is a number');
expect(!Number.isNaN(Date.parse(user.usage.reset_date)), 'the date of the reset is one');

while (session.refreshes < Number(process.env.REFRESHES)) {
  const profile = await session.ask('/user/profile');
  expect(profile.status === 200, `the profile is shown, but it was ${profile.status}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const body = JSON.stringify({ prompt: 'Classical piano piece', duration: 60 });
const made = await session.ask('/generate', { method: 'POST', body });
expect(made.status === 200, `music is made, but it was ${made.status}`);
console.log(`refreshed ${session.refreshes} times`);
