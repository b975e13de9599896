# Stands in for AWS's CodeDeploy agent, which is a Ruby program too: a master and a child that asks for work every so often.
# It asks nobody; it only holds what such a program holds. measured: an agent-like Ruby has a PSS of 19 MiB.
require 'json'
require 'net/http'
require 'openssl'
require 'yaml'
require 'logger'
require 'set'
require 'fileutils'

$0 = 'codedeploy-agent-standin: master'
HELD = Array.new(20_000) { |n| "deployment instruction #{n}" }

child = fork do
  $0 = 'codedeploy-agent-standin: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller'
  # A child whose master was killed ends with its next breath.
  master = Process.ppid
  while Process.ppid == master
    HELD.sample.hash
    sleep 1
  end
end
Signal.trap('TERM') do
  Process.kill('TERM', child)
  exit!
end
Process.wait(child)
