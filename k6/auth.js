// SPDX-License-Identifier: Apache-2.0
// 50, then 100, then 200 users: each registers once, then logs in, looks around and refreshes, with the pauses
// of a person. A login costs an argon2id hash (about 10-40 ms of a core), so the pauses also set how many
// hashes a second the machine is asked for: 200 users make about 25 a second.
import { sleep } from 'k6';
import { freshEmail, login, me, quick, refresh, register } from './lib/api.js';

const hold = quick ? '6s' : '1m';
const ramp = quick ? '4s' : '20s';

export const options = {
  scenarios: {
    users: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: ramp, target: 50 }, { duration: hold, target: 50 },
        { duration: ramp, target: 100 }, { duration: hold, target: 100 },
        { duration: ramp, target: 200 }, { duration: hold, target: 200 },
        { duration: ramp, target: 0 },
      ],
      gracefulStop: '10s',
    },
  },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<500', 'p(99)<1000'],
    checks: ['rate>0.99'],
  },
};

let email = null;

function pause(seconds) {
  sleep(seconds * (0.5 + Math.random()));
}

export default function () {
  pause(1);
  if (email === null) {
    const wanted = freshEmail();
    if (register(wanted) === null) return;
    email = wanted;
  }
  pause(2);
  const session = login(email);
  if (session === null) return;
  for (let look = 0; look < 3; look += 1) {
    me(session.access_token);
    pause(1);
  }
  const next = refresh(session.refresh_token);
  pause(1);
  if (next !== null) me(next.access_token);
  pause(1);
}
