"""An order is stored together with the job that confirms it."""

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from shop.jobs import submit
from shop.models import Order
from shop.tasks import confirm


@require_POST
def place_order(request: HttpRequest) -> JsonResponse:
    with transaction.atomic():
        order = Order.objects.create(item=request.POST["item"])
        submit(confirm.job(order.pk))
    url = request.build_absolute_uri(reverse("order", args=[order.pk]))
    return JsonResponse({"id": order.pk}, status=202, headers={"Location": url})


@require_GET
def show_order(_request: HttpRequest, order_id: int) -> JsonResponse:
    order = get_object_or_404(Order, pk=order_id)
    status = "confirmed" if order.confirmed else "placed"
    return JsonResponse({"id": order.pk, "item": order.item, "status": status})
