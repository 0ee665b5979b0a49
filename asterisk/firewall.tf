# What Parley needs of AWS: a fixed address, names that lead to it, and who may reach its ports. A module for Terraform:
# `npm run --silent firewall -- --terraform` fills it in for the configuration that Parley runs with, docs/guides/twilio.md
# tells how it is used.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "vpc_id" {
  description = "The network that Parley's machine is in."
  type        = string
}

variable "instance_id" {
  description = "Parley's machine, which gets the address. Null: none has it yet."
  type        = string
  default     = null
}

variable "zone_id" {
  description = "The zone of Route 53 that the names are in. Null: they are kept elsewhere."
  type        = string
  default     = null
}

variable "ssh_networks" {
  description = "Who may administer the machine."
  type        = list(string)
  default     = []
}

locals {
  # SIP_DOMAIN, which Twilio dials, and the host of PUBLIC_BASE_URL, which it asks.
  names = [
    "{{names}}",
  ]
  tcp_ports = [
    {{tcpPort}},
  ]
  udp_port  = {{udpPort}}
  rtp_start = {{rtpStart}}
  rtp_end   = {{rtpEnd}}

  # Who may call: Twilio's signalling and SIP_ALLOW. And whom calls are sent to: their answers come to the same ports.
  signalling = [
    "{{signallingNetworks}}",
  ]
  # Where sound comes from: Twilio's media range is another than its signalling ranges. All others are heard from where
  # they call.
  media = [
    "{{mediaNetworks}}",
  ]

  rules = concat(
    [for each in setproduct(local.tcp_ports, local.signalling) : { protocol = "tcp", from = each[0], to = each[0], network = each[1] }],
    [for network in local.signalling : { protocol = "udp", from = local.udp_port, to = local.udp_port, network = network }],
    [for network in local.media : { protocol = "udp", from = local.rtp_start, to = local.rtp_end, network = network }],
    # Twilio asks its webhooks from anywhere, and signs what it asks. By port 80 the proxy gets its certificate.
    [for port in [80, 443] : { protocol = "tcp", from = port, to = port, network = "0.0.0.0/0" }],
    [for network in var.ssh_networks : { protocol = "tcp", from = 22, to = 22, network = network }],
  )
}

resource "aws_eip" "parley" {
  domain = "vpc"
  tags   = { Name = "parley" }
}

resource "aws_eip_association" "parley" {
  count         = var.instance_id == null ? 0 : 1
  allocation_id = aws_eip.parley.id
  instance_id   = var.instance_id
}

resource "aws_route53_record" "parley" {
  for_each = toset(var.zone_id == null ? [] : local.names)
  zone_id  = var.zone_id
  name     = each.key
  type     = "A"
  ttl      = 300
  records  = [aws_eip.parley.public_ip]
}

resource "aws_security_group" "parley" {
  name        = "parley"
  description = "Who may reach Parley"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "parley" {
  for_each          = { for rule in local.rules : "${rule.protocol} ${rule.from}-${rule.to} ${rule.network}" => rule }
  security_group_id = aws_security_group.parley.id
  ip_protocol       = each.value.protocol
  from_port         = each.value.from
  to_port           = each.value.to
  cidr_ipv4         = each.value.network
}

resource "aws_vpc_security_group_egress_rule" "parley" {
  security_group_id = aws_security_group.parley.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

output "address" {
  description = "EXTERNAL_ADDRESS"
  value       = aws_eip.parley.public_ip
}

output "security_group_id" {
  description = "To be given to Parley's machine."
  value       = aws_security_group.parley.id
}
