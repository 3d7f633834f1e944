// The article's three services as a peer to compare with: the same routes, the same work for each
// order (one call for the user, two for each line, one after the other), everything in memory.
//
//   node service.js user|product|order PORT [USER_URL PRODUCT_URL]
//
// The one difference: STOCK (units of each product) is high enough that a load test does not sell out.
'use strict';

const { randomUUID } = require('node:crypto');
const express = require('express');

const stock = Number(process.env.STOCK ?? 1e12);
const now = () => new Date().toISOString();
const notFound = (response, what) => response.status(404).json({ error: `${what} not found` });

function users(app) {
  const known = new Map();
  app.post('/users', ({ body: { name, email } }, response) => {
    if (!name || !email) return response.status(400).json({ error: 'email and name required' });
    const user = { id: randomUUID(), name, email, createdAt: now() };
    known.set(user.id, user);
    return response.status(201).json(user);
  });
  app.get('/users/:id', ({ params }, response) => {
    const user = known.get(params.id);
    return user ? response.json(user) : notFound(response, 'User');
  });
}

function products(app) {
  const catalog = new Map();
  for (const [name, price] of [['Mechanical Keyboard', 149.99], ['USB-C Hub', 49.99], ['27" Monitor', 399.99]]) {
    const id = randomUUID();
    catalog.set(id, { id, name, price, stock });
  }
  const withProduct = (answer) => ({ params, body }, response) => {
    const product = catalog.get(params.id);
    return product ? answer(product, body.quantity, response) : notFound(response, 'Product');
  };
  app.get('/products', (_, response) => response.json([...catalog.values()]));
  app.get('/products/:id', withProduct((product, _, response) => response.json(product)));
  app.post('/products/:id/reserve', withProduct((product, quantity, response) => {
    if (product.stock < quantity) {
      return response.status(409).json({ error: 'Insufficient stock', available: product.stock });
    }
    product.stock -= quantity;
    return response.json({ reserved: quantity, remainingStock: product.stock });
  }));
  app.post('/products/:id/release', withProduct((product, quantity, response) => {
    product.stock += quantity;
    return response.json({ released: quantity, currentStock: product.stock });
  }));
}

async function call(url, body) {
  const options = { headers: { 'Content-Type': 'application/json' } };
  if (body) Object.assign(options, { method: 'POST', body: JSON.stringify(body) });
  const response = await fetch(url, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

function orders(app, userUrl, productUrl) {
  const placed = new Map();

  async function reserve(items) {
    const held = [];
    let total = 0;
    try {
      for (const { productId, quantity } of items) {
        const product = `${productUrl}/products/${productId}`;
        await call(`${product}/reserve`, { quantity });
        total += (await call(product)).price * quantity;
        held.push({ productId, quantity });
      }
    } catch (error) {
      for (const { productId, quantity } of held) {
        await call(`${productUrl}/products/${productId}/release`, { quantity }).catch(() => {});
      }
      throw Object.assign(new Error(`Failed to reserve: ${error.message}`), { status: 409 });
    }
    return Math.round(total * 100) / 100;
  }

  app.post('/orders', async ({ body: { userId, items } }, response) => {
    if (!userId || !items?.length) return response.status(400).json({ error: 'userId and items required' });
    try {
      const { name: userName } = await call(`${userUrl}/users/${userId}`);
      const total = await reserve(items);
      const order = { id: randomUUID(), userId, userName, items, total, status: 'confirmed', createdAt: now() };
      placed.set(order.id, order);
      return response.status(201).json(order);
    } catch (error) {
      return response.status(error.status ?? 500).json({ error: error.message });
    }
  });
  app.get('/orders/:id', ({ params }, response) => {
    const order = placed.get(params.id);
    return order ? response.json(order) : notFound(response, 'Order');
  });
}

const [role, port, ...peers] = process.argv.slice(2);
const routes = { user: users, product: products, order: orders }[role];
if (!routes || !port) {
  console.error('usage: node service.js user|product|order PORT [USER_URL PRODUCT_URL]');
  process.exit(2);
}
const app = express();
app.use(express.json());
app.get('/health', (_, response) => response.json({ status: 'ok', service: role }));
routes(app, ...peers);
app.listen(Number(port), '127.0.0.1');
