// SPDX-License-Identifier: Apache-2.0
// The calls of an account, each tagged with its route so that thresholds can name it.
import http from 'k6/http';
import { check } from 'k6';
import exec from 'k6/execution';

const base = __ENV.BASE_URL || 'http://127.0.0.1:3000';
const password = 'correct horse battery staple 42';
const run = `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;

export const quick = Boolean(__ENV.QUICK);

function call(method, path, name, status, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const payload = body === null ? null : JSON.stringify(body);
  const response = http.request(method, `${base}${path}`, payload, { headers, tags: { name } });
  check(response, { [`${name} answers ${status}`]: (r) => r.status === status });
  return response.status === status && response.body ? response.json() : null;
}

export function freshEmail() {
  return `k6-${run}-${exec.vu.idInTest}-${exec.vu.iterationInInstance}@example.com`;
}

export function register(email) {
  const answer = call('POST', '/auth/register', 'register', 201,
    { email, password, password_confirmation: password });
  return answer && answer.data;
}

export function login(email) {
  const answer = call('POST', '/auth/login', 'login', 200, { email, password });
  return answer && answer.data;
}

export function refresh(token) {
  const answer = call('POST', '/auth/refresh', 'refresh', 200, { refresh_token: token });
  return answer && answer.data;
}

export function me(token) {
  const answer = call('GET', '/auth/me', 'me', 200, null, token);
  return answer && answer.data;
}

export function rename(token, name) {
  return call('PATCH', '/auth/me', 'rename', 200, { name }, token);
}

export function sessions(token) {
  return call('GET', '/auth/sessions', 'sessions', 200, null, token);
}

export function health() {
  return call('GET', '/health', 'health', 200, null);
}

export function refusedLogin(email) {
  const headers = { 'Content-Type': 'application/json' };
  const response = http.post(`${base}/auth/login`, JSON.stringify({ email, password: 'not this one 1' }),
    { headers, tags: { name: 'login refused' }, responseCallback: http.expectedStatuses(401) });
  check(response, { 'a wrong password is refused': (r) => r.status === 401 && r.json().code === 'INVALID_CREDENTIALS' });
}
