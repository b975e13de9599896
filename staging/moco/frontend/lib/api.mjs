// Asks the API as every visitor does: through the load balancer, by its Host. fetch forbids setting Host, so this is node:http.
import http from 'node:http';

// Shorter than the load balancer's 60 s: it must never close a connection that we are about to use.
const agent = new http.Agent({ keepAlive: true, timeout: 30_000 });

/** What a path of the API says; null where it says 404; throws where it says anything else or nothing. */
export function ask(path) {
  const url = new URL(path, process.env.MOCO_API_URL);
  const headers = { Host: process.env.MOCO_API_HOST, Accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers, timeout: 10_000 }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 404) resolve(null);
        else if (response.statusCode !== 200) reject(new Error(`the API answered ${response.statusCode}`));
        else resolve(JSON.parse(Buffer.concat(parts)));
      });
    });
    request.on('timeout', () => request.destroy(new Error('the API did not answer')));
    request.on('error', reject);
  });
}
