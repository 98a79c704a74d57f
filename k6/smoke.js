// SPDX-License-Identifier: Apache-2.0
// One user walks through an account: everything answers, and fast. health < 50 ms is part of the contract.
import { check, sleep } from 'k6';
import { freshEmail, health, login, me, quick, refresh, refusedLogin, register, rename, sessions } from './lib/api.js';

export const options = {
  vus: 1,
  duration: quick ? '10s' : '1m',
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    'http_req_duration{name:health}': ['p(95)<50'],
    http_req_duration: ['p(95)<500', 'p(99)<1000'],
  },
};

export default function () {
  const email = freshEmail();
  health();
  const opened = register(email);
  if (!check(opened, { 'an account is opened': (data) => data !== null })) return;
  refusedLogin(email);
  const session = login(email);
  if (!check(session, { 'a session begins': (data) => data !== null })) return;
  check(me(session.access_token), { 'me is who logged in': (user) => user && user.email === email });
  rename(session.access_token, 'Smoke');
  sessions(session.access_token);
  const next = refresh(session.refresh_token);
  check(next, { 'the session goes on': (data) => data !== null && me(data.access_token) !== null });
  sleep(0.5);
}
