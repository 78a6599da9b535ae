import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginningsOf, makeConversations } from '../../../src/serve/gateway/conversations.ts';

const say = (role: string, content: string): object => ({ role, content });
const of = (...messages: object[]): ReturnType<typeof beginningsOf> => beginningsOf(['m'], messages);

const system = say('system', 'Be short.');
const turn = [system, say('user', 'Hello')];
const next = [...turn, say('assistant', 'Hi'), say('user', 'How are you?')];

test('a conversation that goes on is known by what it was, and saves the reading of that', () => {
  const conversations = makeConversations();
  assert.equal(conversations.find(of(...turn)), undefined);
  conversations.keep(of(...turn), 'one');
  const found = conversations.find(of(...next));
  assert.equal(found?.id, 'one');
  assert.equal(found?.saves, JSON.stringify(turn[0]).length + JSON.stringify(turn[1]).length);
});

test('the longest beginning counts, whoever had the others', () => {
  const conversations = makeConversations();
  conversations.keep(of(...turn), 'one');
  conversations.keep(of(...next), 'two');
  assert.equal(conversations.find(of(...next, say('assistant', 'Fine')))?.id, 'two');
  assert.equal(conversations.find(of(...turn, say('user', 'Anyone?')))?.id, 'one');
});

test('another model, other tools, or one other word before is another conversation', () => {
  const conversations = makeConversations();
  conversations.keep(of(...turn), 'one');
  assert.equal(conversations.find(beginningsOf(['n'], next)), undefined);
  assert.equal(conversations.find(beginningsOf(['m', [{ name: 'tool' }]], next)), undefined);
  assert.equal(conversations.find(of(system, say('user', 'Hello!'), ...next.slice(2))), undefined);
  assert.equal(conversations.find(of(say('system', 'Be short.Hello'))), undefined);
});

test('a system prompt alone is no conversation: else all would go to one instance', () => {
  const conversations = makeConversations();
  conversations.keep(of(...turn), 'one');
  assert.equal(conversations.find(of(system, say('user', 'Something else'))), undefined);
});

test('without messages there is nothing to keep', () => {
  const conversations = makeConversations();
  conversations.keep([], 'one');
  assert.equal(conversations.find([]), undefined);
});

test('so many are remembered, and the one that was longest ago goes first', () => {
  const conversations = makeConversations(2);
  const nth = (n: number): ReturnType<typeof beginningsOf> => of(say('user', `number ${n}`));
  conversations.keep(nth(1), 'one');
  conversations.keep(nth(2), 'two');
  conversations.keep(nth(1), 'three');
  conversations.keep(nth(3), 'one');
  assert.deepEqual(
    [1, 2, 3].map((n) => conversations.find(nth(n))?.id),
    ['three', undefined, 'one'],
  );
});

test('of a conversation of thousands of messages few are looked up', () => {
  const messages = Array.from({ length: 5000 }, (_, n) => say('user', String(n)));
  assert.equal(of(...messages).length, 32);
});
