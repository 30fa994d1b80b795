"""A browser without a screen: keeps cookies, follows nothing by itself, and lets the application live and end."""

import asyncio
from typing import Any, Self

import httpx
from fastapi import FastAPI


class Client:
    """Requests to an application in the process, from one address."""

    def __init__(self, app: FastAPI, base: str = "http://127.0.0.1", address: str = "127.0.0.1") -> None:
        self.app, self.base, self.address = app, base, address
        self.cookies = httpx.Cookies()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        async def end() -> None:
            async with self.app.router.lifespan_context(self.app):
                pass

        asyncio.run(end())

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(self.address, 1))
            async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as client:
                response = await client.request(method, path, **more)
                self.cookies = client.cookies
                return response

        return asyncio.run(one())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)


def token_of(html: str) -> str:
    """The token of the first form of a page."""
    return html.split('name="form_token" value="')[1].partition('"')[0]
