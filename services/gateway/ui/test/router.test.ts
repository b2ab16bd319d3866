import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownAddress } from '../src/router/next.ts'
import { build, match } from '../src/router/pattern.ts'
import { ROUTES, type RouteName, pathOf, placeOf, searchOf, slugOf } from '../src/router/routes.ts'

test('a path is matched part by part, its parameters decoded', () => {
  assert.deepEqual(match('/w/:w/d/:deploymentId', '/w/acme/d/a%2Fb'), { w: 'acme', deploymentId: 'a/b' })
  assert.deepEqual(match('/w/:w', '/w/acme/'), { w: 'acme' })
  assert.equal(match('/w/:w', '/w/acme/jobs'), null)
  assert.equal(match('/w/:w', '/v/acme'), null)
})

test('a part that is no valid escape sequence fits nothing', () => {
  assert.equal(match('/w/:w', '/w/%E0%A4%A'), null)
})

test('what is built is matched again, whatever is in the parameters', () => {
  for (const identifier of ['plain', 'k8s/ns/pod', 'a b', 'ü', '100%', '?x=1#y']) {
    const path = build('/w/:w/r/:identifier', { w: 'acme', identifier })
    assert.deepEqual(match('/w/:w/r/:identifier', path), { w: 'acme', identifier })
  }
})

test('an address below a workspace names it, whether there is such a page or not', () => {
  assert.deepEqual(['/w/shop', '/w/shop/jobs', '/w/shop/no/such/page', '/w/a%20b/', '/signin', '/', '/w/'].map(slugOf), ['shop', 'shop', 'shop', 'a b', '', '', ''])
})

test('every route leads to itself', () => {
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const params = Object.fromEntries([...ROUTES[name].matchAll(/:(\w+)/g)].map(([, key]) => [key, `some-${key}`]))
    assert.equal(placeOf(pathOf(name, params as never))?.name, name)
  }
  assert.equal(placeOf('/nowhere'), null)
})

test('a search leaves out what is empty and ends with the moment', () => {
  assert.equal(searchOf({}), '')
  assert.equal(searchOf({ at: 12, q: 'a b', tab: null, old: '', off: false, limit: 0 }), '?q=a+b&limit=0&at=12')
  assert.equal(searchOf({ at: null }), '')
})

test('whoever signed in goes on at an address of ours, never at another host', () => {
  const ours = 'https://signalbox.example'
  assert.equal(ownAddress('/w/acme/jobs?state=running', ours), '/w/acme/jobs?state=running')
  for (const other of ['', 'w/acme', 'https://evil.example/', '//evil.example/', '/\\evil.example/', '/\t/evil.example/', 'javascript:alert(1)', '//']) {
    assert.equal(ownAddress(other, ours), '/', other)
  }
})
