# frozen_string_literal: true

require_relative "../../examples/leaky_app/server"
require_relative "real_dumps"

# Does what a page of documentation says, in a folder of its own, with leak_hunter and rake at hand as if they were
# installed. For examples with :tmpdir.
module Reader
  COMMANDS = { "leak_hunter" => "load #{RealDumps::EXE.dump}", "rake" => 'load Gem.bin_path("rake", "rake")',
               "sidekiq" => 'load Gem.bin_path("sidekiq", "sidekiq")',
               "puma" => '$stdout.sync = true; load Gem.bin_path("puma", "puma")' }.freeze

  # @return [String] path of the file
  def write(name, code)
    path = File.join(@tmpdir, name)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, code)
    path
  end

  # Runs a program that succeeds and prints no errors.
  #
  # @return [String] its output
  def run(*command, input: nil, **env)
    output, errors, status = Open3.capture3(installed(env), *command, stdin_data: input, chdir: @tmpdir)
    expect([errors, status.exitstatus]).to eq(["", 0])
    output
  end

  def ruby(*arguments, **more) = run(RbConfig.ruby, "-w", *arguments, **more)

  # Stops at the first command that fails.
  def shell(code, **env) = run("bash", "-eu", "-o", "pipefail", "-c", code, **env)

  # @return [Hash{String => String, nil}] an environment
  def installed(env = {})
    { "RUBYLIB" => RealDumps::LIB, "PATH" => "#{commands}:#{ENV.fetch("PATH")}", "WEB_CONCURRENCY" => nil,
      "NO_COLOR" => nil, "FORCE_COLOR" => nil, "COLUMNS" => nil, **env.transform_keys(&:to_s) }
  end

  # Three dumps as 1.json, 2.json and 3.json.
  def have_dumps
    RealDumps.paths.each.with_index(1) { |dump, number| FileUtils.cp(dump, File.join(@tmpdir, "#{number}.json")) }
  end

  # What a report says of an application's own objects: class, count, place. Sizes and the VM's own differ by Ruby.
  def findings(report) = report.scan(/^([A-Z]\w+) +([\d,]+) .*\n  (\S+:\d+) in /)

  def needs_command(name)
    system("command -v #{name} >/dev/null") or skip "there is no #{name} here"
  end

  private

  def commands
    dir = File.join(@tmpdir, "bin")
    return dir if File.directory?(dir)

    COMMANDS.each do |name, code|
      File.chmod(0o755, write("bin/#{name}", "#!#{RbConfig.ruby}\n#{code}\n"))
    end
    dir
  end
end
